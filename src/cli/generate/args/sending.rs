//! The arguments that say where, how and how fast to send.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::load::{PREPARED_MAX, parse_share};
use crate::cli::parse_duration;
use crate::generate::profile::{self, ProfileError};
use crate::generate::{Compression, Profile, Protocol};

#[derive(Args, Clone, Debug)]
pub struct SendingArgs {
    /// Where to send: HOST:PORT; with HTTP also http://HOST:PORT[/PATH][?QUERY], the path of the signal
    /// goes behind PATH [default: localhost:4317, with HTTP 4318]
    #[arg(long, value_name = "ADDRESS")]
    pub endpoint: Option<String>,
    /// OTLP over gRPC, or over HTTP/1.1 as protobuf or JSON [default: grpc; a replay: as it came]
    #[arg(long, value_enum)]
    pub protocol: Option<ProtocolArg>,
    /// Compression of the bodies
    #[arg(long, value_enum, default_value = "none")]
    pub compression: CompressionArg,
    /// Spans (points, records) per second, whether or not the target keeps up; 0: as fast as it
    /// answers
    #[arg(long, default_value_t = 0.0, value_name = "ITEMS", value_parser = profile::rate)]
    pub rate: f64,
    /// A rate over time: ramp:FROM-TO:DURATION, burst:RATE-PEAK:PERIOD:LENGTH (the peak ends each
    /// period) or step:RATE,RATE,...:DURATION; without --duration and --count it is sent as a whole:
    /// the ramp, three periods, all steps
    #[arg(long, value_name = "PROFILE", value_parser = parse_profile, conflicts_with = "rate")]
    pub profile: Option<Profile>,
    /// How long to send, as 30s or 1h30m [default: as long as --profile, or 10s; without --count]
    #[arg(long, value_parser = parse_duration)]
    pub duration: Option<Duration>,
    /// How many spans (points, records) to send, not counting broken requests [default: until
    /// --duration is over]
    #[arg(long, value_name = "ITEMS")]
    pub count: Option<u64>,
    /// Connections, shared out among the threads [default: the scenario's, or 1]
    #[arg(long, value_name = "COUNT")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub connections: Option<u16>,
    /// Requests in flight on each connection; above 1 with grpc only
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub in_flight: u16,
    /// Threads that send
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: u16,
    /// How long to wait for a connection or an answer; one that takes longer counts as none
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    pub timeout: Duration,
    /// Distinct requests made beforehand and sent over and over, shared out among the signals by weight;
    /// 0: each request is made when it is sent [default: 0 with --rate, --profile or metrics, else
    /// enough for every label set]
    #[arg(long, value_name = "COUNT")]
    #[arg(value_parser = clap::value_parser!(u64).range(..=PREPARED_MAX))]
    pub prepared: Option<u64>,
    /// Share of requests that are broken, 0 to 1: exit status 1 if the target takes one [default: the
    /// scenario's, or 0]
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    pub malformed_share: Option<f64>,
}

/// As `OTEL_EXPORTER_OTLP_PROTOCOL` calls them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProtocolArg {
    Grpc,
    #[value(name = "http/protobuf", alias = "http")]
    Http,
    #[value(name = "http/json", alias = "http-json")]
    HttpJson,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CompressionArg {
    None,
    Gzip,
    Zstd,
}

impl From<ProtocolArg> for Protocol {
    fn from(arg: ProtocolArg) -> Self {
        match arg {
            ProtocolArg::Grpc => Self::Grpc,
            ProtocolArg::Http => Self::Http,
            ProtocolArg::HttpJson => Self::HttpJson,
        }
    }
}

impl From<CompressionArg> for Compression {
    fn from(arg: CompressionArg) -> Self {
        match arg {
            CompressionArg::None => Self::None,
            CompressionArg::Gzip => Self::Gzip,
            CompressionArg::Zstd => Self::Zstd,
        }
    }
}

fn parse_profile(text: &str) -> Result<Profile, ProfileError> {
    Profile::parse(text)
}
