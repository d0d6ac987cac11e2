//! `extensions.zpages`: pages that describe the running program.

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZpagesOptions {
    /// `host:port` as written; `localhost:55679` by default.
    pub endpoint: String,
}
