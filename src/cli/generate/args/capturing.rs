//! The arguments that write requests to a file and take them from there.

use std::path::PathBuf;

use clap::Args;

use crate::generate::CaptureOptions;

const CAPTURE_BYTES_MAX: u64 = 1 << 30;

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Captures")]
pub struct CaptureArgs {
    /// Write the requests that are sent to a file, or with --listen those that come
    #[arg(long, value_name = "FILE")]
    pub capture: Option<PathBuf>,
    /// A larger file is not written: requests are left out and counted
    #[arg(long, value_name = "BYTES", default_value_t = CAPTURE_BYTES_MAX, requires = "capture")]
    pub capture_max: u64,
    /// Send nothing: take OTLP over gRPC and HTTP at this address, answer success and write it to
    /// --capture, until --duration is over, the file is full, or Ctrl-C; repeatable
    #[arg(long, value_name = "HOST:PORT", requires = "capture")]
    #[arg(conflicts_with_all = SENDING, conflicts_with_all = LOADING)]
    pub listen: Vec<String>,
    /// Send the requests of a captured file as they are, once, instead of the load; --rate, --profile
    /// and --count count requests then
    #[arg(long, value_name = "FILE", conflicts_with_all = MAKING, conflicts_with_all = LOADING)]
    pub replay: Option<PathBuf>,
    /// Replay with the times between requests at which they were captured
    #[arg(long, requires = "replay", conflicts_with_all = ["rate", "profile"])]
    pub replay_times: bool,
}

/// What has no meaning for one who only listens, beside `LOADING`.
const SENDING: [&str; 15] = [
    "endpoint",
    "protocol",
    "compression",
    "rate",
    "profile",
    "count",
    "connections",
    "in_flight",
    "threads",
    "timeout",
    "prepared",
    "malformed_share",
    "report",
    "replay",
    "verify",
];
/// What has no meaning for bodies that are there, beside `LOADING`.
const MAKING: [&str; 4] = ["compression", "prepared", "malformed_share", "verify"];
/// What describes a load, and what it adds up to.
const LOADING: [&str; 12] = [
    "scenario",
    "signals",
    "spans_per_request",
    "services",
    "routes",
    "resources",
    "cardinality",
    "error_share",
    "event_share",
    "span_bytes",
    "seed",
    "totals",
];

impl CaptureArgs {
    pub(in crate::cli::generate) fn options(&self) -> Option<CaptureOptions> {
        Some(CaptureOptions {
            path: self.capture.clone()?,
            bytes_max: self.capture_max,
        })
    }
}
