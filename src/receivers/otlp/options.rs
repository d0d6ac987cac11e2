//! `receivers.otlp`: what the user wrote, settled.
//!
//! Every key of the Collector's block is read. Those that do not act yet are remarked on when they
//! are set; encryption and authentication are refused, since an open port must not come of them.

use std::time::Duration;

use crate::config::{Code, Key, Section, Shape, blocks};

/// `protocols`: a protocol is on when its key is present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpOptions {
    pub grpc: Option<GrpcOptions>,
    pub http: Option<HttpOptions>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcOptions {
    /// `host:port` as written.
    pub endpoint: String,
    /// Of a message, before and after inflating. `max_recv_msg_size_mib`, 4 MiB by default.
    pub message_bytes_max: u64,
    /// `max_concurrent_streams`; `None`: our own default holds.
    pub streams_max: Option<u32>,
    pub keepalive: Keepalive,
}

/// `keepalive.server_parameters`. `None` is the protocol's "for ever".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keepalive {
    pub connection_idle_max: Option<Duration>,
    pub connection_age_max: Option<Duration>,
    pub connection_age_grace: Option<Duration>,
    /// Ping after this idle time.
    pub time: Option<Duration>,
    pub timeout: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    pub endpoint: String,
    /// Of a body, before and after inflating. `max_request_body_size`, 20 MiB by default.
    pub body_bytes_max: u64,
    pub traces_url_path: String,
    pub metrics_url_path: String,
    pub logs_url_path: String,
    /// Set on every response, in the order of the file.
    pub response_headers: Vec<(String, String)>,
    pub read_header_timeout: Option<Duration>,
    pub read_timeout: Option<Duration>,
    pub idle_timeout: Option<Duration>,
}

impl Default for GrpcOptions {
    fn default() -> Self {
        Self {
            endpoint: "localhost:4317".to_owned(),
            message_bytes_max: 4 << 20,
            streams_max: None,
            keepalive: Keepalive::default(),
        }
    }
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            endpoint: "localhost:4318".to_owned(),
            body_bytes_max: 20 << 20,
            traces_url_path: "/v1/traces".to_owned(),
            metrics_url_path: "/v1/metrics".to_owned(),
            logs_url_path: "/v1/logs".to_owned(),
            response_headers: Vec::new(),
            read_header_timeout: None,
            read_timeout: None,
            idle_timeout: None,
        }
    }
}

const MIB: u64 = 1 << 20;

/// gRPC keys without effect yet.
const GRPC_DORMANT: &[Key] = &[
    Key::new(
        "dialer",
        Shape::Block(&[Key::new("timeout", Shape::Duration(0))]),
    ),
    Key::new("read_buffer_size", Shape::Integer(i64::MIN, 524_288)),
    Key::new("write_buffer_size", Shape::Integer(i64::MIN, 0)),
    Key::new("include_metadata", Shape::Bool(false)),
];

/// What a client may do with pings.
const ENFORCEMENT_POLICY: Key = Key::new(
    "enforcement_policy",
    Shape::Block(&[
        Key::new("min_time", Shape::Duration(0)),
        Key::new("permit_without_stream", Shape::Bool(false)),
    ]),
);

/// Kinds of socket that the Collector listens on.
const TRANSPORTS: &[&str] = &[
    "tcp",
    "tcp4",
    "tcp6",
    "udp",
    "udp4",
    "udp6",
    "ip",
    "ip4",
    "ip6",
    "unix",
    "unixgram",
    "unixpacket",
];

impl OtlpOptions {
    pub fn read(section: &mut Section) -> Self {
        let read = section.section("protocols", |protocols| Self {
            grpc: protocols.section("grpc", GrpcOptions::read),
            http: protocols.section("http", HttpOptions::read),
        });
        let options = read.unwrap_or(Self {
            grpc: None,
            http: None,
        });
        if options.grpc.is_none() && options.http.is_none() {
            section.refuse(
                "protocols",
                Code::Missing,
                format!("`{}` has no protocol", section.path()),
                "`protocols` wants `grpc:`, `http:` or both",
            );
        }
        options
    }
}

impl GrpcOptions {
    fn read(section: &mut Section) -> Self {
        let defaults = Self::default();
        if section.word("transport", "tcp", TRANSPORTS, false) != "tcp" {
            let message = format!("`{}` can only be `tcp` yet", section.path_of("transport"));
            section.refuse("transport", Code::NotYet, message, "write `tcp`");
        }
        let message_mib = section.integer("max_recv_msg_size_mib", 0, i64::MIN, i64::MAX);
        let streams_max = section.unsigned("max_concurrent_streams", 0);
        let keepalive = section.given_section("keepalive", |keepalive| {
            keepalive.dormant(&[ENFORCEMENT_POLICY]);
            keepalive.given_section("server_parameters", Keepalive::read)
        });
        section.not_yet(blocks::GRPC_SERVER_GUARDS, blocks::GUARD_LABEL);
        section.dormant(GRPC_DORMANT);
        Self {
            endpoint: section.listen_endpoint(&defaults.endpoint),
            message_bytes_max: positive(message_mib)
                .map_or(defaults.message_bytes_max, |mib| mib.saturating_mul(MIB)),
            streams_max: (streams_max > 0).then_some(streams_max),
            keepalive: keepalive.flatten().unwrap_or_default(),
        }
    }
}

impl Keepalive {
    fn read(section: &mut Section) -> Self {
        Self {
            connection_idle_max: section.limit("max_connection_idle"),
            connection_age_max: section.limit("max_connection_age"),
            connection_age_grace: section.limit("max_connection_age_grace"),
            time: section.limit("time"),
            timeout: section.limit("timeout"),
        }
    }
}

/// Answers are small; a client that does not read them is cut by the time limits of its connection.
const WRITE_TIMEOUT: &[Key] = &[Key::new("write_timeout", Shape::Duration(0))];

impl HttpOptions {
    fn read(section: &mut Section) -> Self {
        let defaults = Self::default();
        let body_bytes = section.integer("max_request_body_size", 0, i64::MIN, i64::MAX);
        section.not_yet(blocks::HTTP_SERVER_GUARDS, blocks::GUARD_LABEL);
        section.dormant(blocks::HTTP_SERVER);
        section.dormant(WRITE_TIMEOUT);
        Self {
            endpoint: section.listen_endpoint(&defaults.endpoint),
            body_bytes_max: positive(body_bytes).unwrap_or(defaults.body_bytes_max),
            traces_url_path: url_path(section, "traces_url_path", &defaults.traces_url_path),
            metrics_url_path: url_path(section, "metrics_url_path", &defaults.metrics_url_path),
            logs_url_path: url_path(section, "logs_url_path", &defaults.logs_url_path),
            response_headers: section.string_map("response_headers"),
            read_header_timeout: section.limit("read_header_timeout"),
            read_timeout: section.limit("read_timeout"),
            idle_timeout: section.limit("idle_timeout"),
        }
    }
}

/// Zero and less stand for the default.
fn positive(number: i64) -> Option<u64> {
    u64::try_from(number).ok().filter(|number| *number > 0)
}

/// A missing leading slash is added.
fn url_path(section: &mut Section, key: &'static str, default: &str) -> String {
    let path = section.string(key, default);
    if path.starts_with('/') {
        path
    } else {
        format!("/{path}")
    }
}
