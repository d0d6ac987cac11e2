//! `receivers.otlp`: what the user wrote, settled.

use std::time::Duration;

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
    pub write_timeout: Option<Duration>,
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
            write_timeout: None,
            idle_timeout: None,
        }
    }
}
