//! Key tables that several components share: TLS, HTTP servers and clients, retries.
//!
//! The keys are those of the Collector v0.128.0, with the values that change nothing.

use super::dormant::{Key, Shape};

/// Extensions that would look at each request.
const MIDDLEWARE: &[Key] = &[Key::new("id", Shape::Text(""))];

const TPM: &[Key] = &[
    Key::new("enabled", Shape::Bool(false)),
    Key::new("path", Shape::Text("")),
    Key::new("owner_auth", Shape::Text("")),
    Key::new("auth", Shape::Text("")),
];

/// TLS of a server.
pub const SERVER_TLS: &[Key] = &[
    Key::new("ca_file", Shape::Text("")),
    Key::new("ca_pem", Shape::Text("")),
    Key::new("include_system_ca_certs_pool", Shape::Bool(false)),
    Key::new("cert_file", Shape::Text("")),
    Key::new("cert_pem", Shape::Text("")),
    Key::new("key_file", Shape::Text("")),
    Key::new("key_pem", Shape::Text("")),
    Key::new("min_version", Shape::Text("")),
    Key::new("max_version", Shape::Text("")),
    Key::new("cipher_suites", Shape::Texts(&[])),
    Key::new("curve_preferences", Shape::Texts(&[])),
    Key::new("reload_interval", Shape::Duration(0)),
    Key::new("tpm", Shape::Block(TPM)),
    Key::new("client_ca_file", Shape::Text("")),
    Key::new("client_ca_file_reload", Shape::Bool(false)),
];

/// TLS of a client.
pub const CLIENT_TLS: &[Key] = &[
    Key::new("ca_file", Shape::Text("")),
    Key::new("ca_pem", Shape::Text("")),
    Key::new("include_system_ca_certs_pool", Shape::Bool(false)),
    Key::new("cert_file", Shape::Text("")),
    Key::new("cert_pem", Shape::Text("")),
    Key::new("key_file", Shape::Text("")),
    Key::new("key_pem", Shape::Text("")),
    Key::new("min_version", Shape::Text("")),
    Key::new("max_version", Shape::Text("")),
    Key::new("cipher_suites", Shape::Texts(&[])),
    Key::new("curve_preferences", Shape::Texts(&[])),
    Key::new("reload_interval", Shape::Duration(0)),
    Key::new("tpm", Shape::Block(TPM)),
    Key::new("insecure", Shape::Bool(false)),
    Key::new("insecure_skip_verify", Shape::Bool(false)),
    Key::new("server_name_override", Shape::Text("")),
];

/// What a gRPC server must not pass over in silence.
pub const GRPC_SERVER_GUARDS: &[Key] = &[
    Key::new("tls", Shape::Block(SERVER_TLS)),
    Key::new(
        "auth",
        Shape::Block(&[Key::new("authenticator", Shape::Text(""))]),
    ),
    Key::new("middlewares", Shape::Blocks(MIDDLEWARE)),
];

/// What an HTTP server must not pass over in silence.
pub const HTTP_SERVER_GUARDS: &[Key] = &[
    Key::new("tls", Shape::Block(SERVER_TLS)),
    Key::new(
        "auth",
        Shape::Block(&[
            Key::new("authenticator", Shape::Text("")),
            Key::new("request_params", Shape::Texts(&[])),
        ]),
    ),
    Key::new("middleware", Shape::Blocks(MIDDLEWARE)),
];

/// Beside the caret of a guard.
pub const GUARD_LABEL: &str =
    "refused, since going on without it would leave the port open; listen on loopback instead";

/// The encodings of request bodies that an HTTP server takes when none are listed.
const COMPRESSION_ALGORITHMS: &[&str] = &["", "gzip", "zstd", "zlib", "snappy", "deflate", "lz4"];

/// What else an HTTP server has.
pub const HTTP_SERVER: &[Key] = &[
    Key::new(
        "cors",
        Shape::Block(&[
            Key::new("allowed_origins", Shape::Texts(&[])),
            Key::new("allowed_headers", Shape::Texts(&[])),
            Key::new("max_age", Shape::Integer(i64::MIN, 0)),
        ]),
    ),
    Key::new("include_metadata", Shape::Bool(false)),
    Key::new(
        "compression_algorithms",
        Shape::Texts(COMPRESSION_ALGORITHMS),
    ),
];

/// The limits of an HTTP server, where they do not act yet.
pub const HTTP_SERVER_LIMITS: &[Key] = &[
    Key::new("max_request_body_size", Shape::Integer(i64::MIN, 0)),
    Key::new("read_timeout", Shape::Duration(0)),
    Key::new("read_header_timeout", Shape::Duration(0)),
    Key::new("write_timeout", Shape::Duration(0)),
    Key::new("idle_timeout", Shape::Duration(0)),
];

/// A HTTP client, without its address, timeout and compression.
pub const HTTP_CLIENT: &[Key] = &[
    Key::new("proxy_url", Shape::Text("")),
    Key::new("tls", Shape::Block(CLIENT_TLS)),
    Key::new("headers", Shape::TextMap),
    Key::new(
        "auth",
        Shape::Block(&[Key::new("authenticator", Shape::Text(""))]),
    ),
    Key::new(
        "compression_params",
        Shape::Block(&[Key::new("level", Shape::Integer(i64::MIN, 0))]),
    ),
    Key::new("read_buffer_size", Shape::Integer(i64::MIN, 0)),
    Key::new("write_buffer_size", Shape::Integer(i64::MIN, 524_288)),
    Key::new("max_idle_conns", Shape::Integer(i64::MIN, 100)),
    Key::new("max_idle_conns_per_host", Shape::Integer(i64::MIN, 0)),
    Key::new("max_conns_per_host", Shape::Integer(i64::MIN, 0)),
    Key::new("idle_conn_timeout", Shape::Duration(90_000_000_000)),
    Key::new("disable_keep_alives", Shape::Bool(false)),
    Key::new("http2_read_idle_timeout", Shape::Duration(0)),
    Key::new("http2_ping_timeout", Shape::Duration(0)),
    Key::new(
        "cookies",
        Shape::Block(&[Key::new("enabled", Shape::Bool(false))]),
    ),
    Key::new("middleware", Shape::Blocks(MIDDLEWARE)),
];
