//! The arguments of `spanmill generate`, and the options they settle to.

use std::time::Duration;

use clap::{Args, ValueEnum};
use thiserror::Error;

use crate::cli::parse_duration;
use crate::generate::{Compression, Pace, Protocol, RunOptions, Target};

mod load;
mod verify;

pub(super) use load::LoadArgs;
use load::PREPARED_MAX;
pub(super) use verify::VerifyArgs;

/// Bytes of bodies that are made before the run, at most.
const PREPARED_BYTES_MAX: usize = 128 << 20;
const DURATION_DEFAULT: Duration = Duration::from_secs(10);

/// Arguments that do not go together.
#[derive(Debug, Error)]
pub(super) enum ArgsError {
    #[error("--in-flight above 1 needs --protocol grpc: HTTP/1.1 answers one request at a time")]
    InFlight,
    #[error("a request of {spans} spans of {bytes} bytes is above {limit} bytes")]
    Request { spans: u32, bytes: u32, limit: u64 },
    #[error("{count} {what} are more than {limit}")]
    Parts {
        what: &'static str,
        count: u64,
        limit: u64,
    },
    #[error("`{text}` is no NAME=VALUE")]
    Pair { text: String },
}

#[derive(Args, Clone, Debug)]
pub struct GenerateArgs {
    /// Where to send: HOST:PORT or http://HOST:PORT [default: localhost:4317, with http 4318]
    #[arg(long, value_name = "ADDRESS")]
    pub endpoint: Option<String>,
    /// OTLP over gRPC, or protobuf over HTTP/1.1
    #[arg(long, value_enum, default_value = "grpc")]
    pub protocol: ProtocolArg,
    /// Compression of the bodies
    #[arg(long, value_enum, default_value = "none")]
    pub compression: CompressionArg,
    /// Spans per second, whether or not the target keeps up; 0: as fast as it answers
    #[arg(long, default_value_t = 0.0, value_name = "SPANS", value_parser = parse_rate)]
    pub rate: f64,
    /// How long to send, as 30s or 1h30m [default: 10s, without --count]
    #[arg(long, value_parser = parse_duration)]
    pub duration: Option<Duration>,
    /// How many spans to send [default: until --duration is over]
    #[arg(long, value_name = "SPANS")]
    pub count: Option<u64>,
    /// Connections, shared out among the threads
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub connections: u16,
    /// Requests in flight on each connection; above 1 with grpc only
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub in_flight: u16,
    /// Threads that send
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: u16,
    /// How long to wait for an answer; one that takes longer counts as none
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    pub timeout: Duration,
    /// Distinct requests made beforehand and sent over and over; 0: each request is made when it is
    /// sent [default: 0 with --rate, else enough for every label set]
    #[arg(long, value_name = "COUNT")]
    #[arg(value_parser = clap::value_parser!(u64).range(..=PREPARED_MAX))]
    pub prepared: Option<u64>,
    #[command(flatten)]
    pub load: LoadArgs,
    /// Report on standard output for machines instead of people
    #[arg(long, value_enum)]
    pub report: Option<ReportArg>,
    /// Leave out the live line on standard error
    #[arg(long)]
    pub quiet: bool,
    #[command(flatten)]
    pub verify: VerifyArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProtocolArg {
    Grpc,
    Http,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CompressionArg {
    None,
    Gzip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportArg {
    Json,
}

/// The arguments as options, or what is wrong with them.
pub(super) type Settled<T> = Result<T, Box<dyn std::error::Error>>;

impl GenerateArgs {
    pub(super) fn run_options(&self) -> Settled<RunOptions> {
        let (protocol, default_endpoint, default_port) = match self.protocol {
            ProtocolArg::Grpc => (Protocol::Grpc, "localhost:4317", 4317),
            ProtocolArg::Http => (Protocol::Http, "localhost:4318", 4318),
        };
        if protocol == Protocol::Http && self.in_flight > 1 {
            return Err(ArgsError::InFlight.into());
        }
        let endpoint = self.endpoint.as_deref().unwrap_or(default_endpoint);
        let is_open = self.rate > 0.0;
        let default_prepared = if is_open {
            0
        } else {
            self.load.prepared_for_all()
        };
        let default_duration = self.count.is_none().then_some(DURATION_DEFAULT);
        Ok(RunOptions {
            target: Target::parse(endpoint, default_port)?,
            protocol,
            compression: match self.compression {
                CompressionArg::None => Compression::None,
                CompressionArg::Gzip => Compression::Gzip,
            },
            pace: Pace {
                spans_per_second: is_open.then_some(self.rate),
                duration: self.duration.or(default_duration),
                spans: self.count,
            },
            threads: usize::from(self.threads),
            connections: usize::from(self.connections),
            in_flight: usize::from(self.in_flight),
            answer_timeout: self.timeout,
            prepared: usize::try_from(self.prepared.unwrap_or(default_prepared))?,
            prepared_bytes_max: PREPARED_BYTES_MAX,
            load: self.load.options()?,
            totals: None,
        })
    }
}

fn parse_rate(text: &str) -> Result<f64, &'static str> {
    match text.parse() {
        // Below one span in a thousand seconds a run would never send.
        Ok(rate) if rate == 0.0 || (1e-3..=1e9).contains(&rate) => Ok(rate),
        _ => Err("a rate is a number of spans per second, 0.001 to 1e9, or 0"),
    }
}

#[cfg(test)]
mod tests;
