//! `processors.resource`: what the user wrote, settled.

/// Applied in order to each resource.
#[derive(Clone, Debug)]
pub struct ResourceOptions {
    pub actions: Vec<Action>,
}

/// One entry of `attributes`. Values are the bytes of an OTLP `AnyValue` message.
#[derive(Clone, Debug)]
pub enum Action {
    Insert {
        key: String,
        value: ValueSource,
    },
    Update {
        key: String,
        value: ValueSource,
    },
    Upsert {
        key: String,
        value: ValueSource,
    },
    Delete {
        key: Option<String>,
        pattern: Option<regex::bytes::Regex>,
    },
    Hash {
        key: Option<String>,
        pattern: Option<regex::bytes::Regex>,
    },
    /// Every group of the pattern is named.
    Extract {
        key: String,
        pattern: regex::bytes::Regex,
    },
    Convert {
        key: String,
        to: ConvertedType,
    },
}

#[derive(Clone, Debug)]
pub enum ValueSource {
    Value(Vec<u8>),
    FromAttribute(String),
    /// `metadata.NAME`, `auth.NAME`, `client.address`; needs `include_metadata`, which comes later.
    FromContext(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConvertedType {
    String,
    Int,
    Double,
}
