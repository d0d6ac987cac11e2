//! The arguments of `spanmill generate`, and the options they settle to.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use thiserror::Error;

use crate::generate::{Pace, Profile, Protocol, Replay, RunOptions, Target, Timing, capture};

mod capturing;
mod load;
mod sending;
mod verify;

pub(super) use capturing::CaptureArgs;
pub(super) use load::LoadArgs;
pub(super) use sending::SendingArgs;
pub(super) use verify::VerifyArgs;

const DURATION_DEFAULT: Duration = Duration::from_secs(10);

/// Arguments that do not go together.
#[derive(Debug, Error)]
pub(super) enum ArgsError {
    #[error("--in-flight above 1 needs --protocol grpc: HTTP/1.1 answers one request at a time")]
    InFlight,
    #[error(
        "there is no built-in scenario `{name}`, and no such file; there are {}",
        load::names()
    )]
    NoScenario { name: String },
    #[error("the weights of the signals make no round of requests")]
    Weights,
    #[error("the scenario cannot be used")]
    Scenario,
    #[error("values that grow with the run cannot be prepared: leave --prepared out")]
    Growing,
    #[error(
        "with --malformed-share 1 nothing that --count counts is sent: give --duration instead"
    )]
    Endless,
    #[error("`{text}` has a path or a query, which OTLP/gRPC has not: give HOST:PORT")]
    GrpcPath { text: String },
    #[error("`{text}` is no NAME=VALUE")]
    Pair { text: String },
}

#[derive(Args, Clone, Debug)]
pub struct GenerateArgs {
    #[command(flatten)]
    pub sending: SendingArgs,
    #[command(flatten)]
    pub load: LoadArgs,
    /// Report on standard output for machines instead of people
    #[arg(long, value_enum)]
    pub report: Option<ReportArg>,
    /// Say in the report what the acknowledged points and records add up to
    #[arg(long, requires = "report")]
    pub totals: bool,
    /// Leave out the live line on standard error
    #[arg(long)]
    pub quiet: bool,
    #[command(flatten)]
    pub capture: CaptureArgs,
    #[command(flatten)]
    pub verify: VerifyArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportArg {
    Json,
}

/// The arguments as options, or what is wrong with them.
pub(super) type Settled<T> = Result<T, Box<dyn std::error::Error>>;

impl GenerateArgs {
    pub(super) fn run_options(&self) -> Settled<RunOptions> {
        let sending = &self.sending;
        let load = self.load.scenario()?;
        let (target, protocol, replay) = self.target()?;
        if !protocol.is_grpc() && sending.in_flight > 1 {
            return Err(ArgsError::InFlight.into());
        }
        let pace = self.pace(replay.as_ref());
        let default_prepared = if pace.is_open() || replay.is_some() || load.signals.metrics > 0 {
            0
        } else {
            load::prepared_for_all(&load)
        };
        if load.is_growing() && sending.prepared.is_some_and(|prepared| prepared > 0) {
            return Err(ArgsError::Growing.into());
        }
        let malformed_share = sending.malformed_share.unwrap_or(load.malformed_share);
        if malformed_share >= 1.0 && pace.duration.is_none() && replay.is_none() {
            return Err(ArgsError::Endless.into());
        }
        Ok(RunOptions {
            protocol,
            compression: sending.compression.into(),
            pace,
            threads: usize::from(sending.threads),
            connections: usize::from(sending.connections.unwrap_or(load.connections)),
            in_flight: usize::from(sending.in_flight),
            answer_timeout: sending.timeout,
            prepared: usize::try_from(sending.prepared.unwrap_or(default_prepared))?,
            // What is in a captured body is not known: it counts as one.
            items_per_request: replay.as_ref().map_or(load.spans_per_request, |_| 1),
            malformed_share,
            mix: load.signals.mix(load.seed).ok_or(ArgsError::Weights)?,
            load,
            replay,
            capture: self.capture.options(),
            item_totals: self.totals,
            ..RunOptions::new(target)
        })
    }

    /// Where to and how; a replay goes as it came unless it is said otherwise.
    fn target(&self) -> Settled<(Target, Protocol, Option<Arc<Replay>>)> {
        let sending = &self.sending;
        let asked = sending.protocol.map(Protocol::from);
        let parse = |protocol: Protocol| -> Settled<Target> {
            let (default_endpoint, default_port) = match protocol {
                Protocol::Grpc => ("localhost:4317", 4317),
                Protocol::Http | Protocol::HttpJson => ("localhost:4318", 4318),
            };
            let endpoint = sending.endpoint.as_deref().unwrap_or(default_endpoint);
            let target = Target::parse(endpoint, default_port)?;
            if protocol.is_grpc() && !target.path.is_empty() {
                let text = endpoint.to_owned();
                return Err(ArgsError::GrpcPath { text }.into());
            }
            Ok(target)
        };
        let Some(path) = &self.capture.replay else {
            let protocol = asked.unwrap_or(Protocol::Grpc);
            return Ok((parse(protocol)?, protocol, None));
        };
        let captured = capture::read(path)?;
        if let Some(asked) = asked {
            Replay::check_format(path, &captured, asked)?;
        }
        let as_it_came = if Replay::came_by_grpc(&captured) {
            Protocol::Grpc
        } else {
            Protocol::Http
        };
        let protocol = asked.unwrap_or(as_it_came);
        let target = parse(protocol)?;
        let replay = Replay::new(path, captured, &target, protocol.is_grpc())?;
        Ok((target, protocol, Some(Arc::new(replay))))
    }

    fn pace(&self, replay: Option<&Arc<Replay>>) -> Pace {
        let sending = &self.sending;
        let timing = match (replay, &sending.profile) {
            (Some(replay), _) if self.capture.replay_times => {
                Timing::AsCaptured(Arc::clone(replay))
            }
            (_, Some(profile)) => Timing::Profile(profile.clone()),
            _ if sending.rate > 0.0 => Timing::Profile(Profile::steady(sending.rate)),
            _ => Timing::Closed,
        };
        // A capture goes once, a load as long as its profile, or ten seconds, when nothing is said.
        let is_endless = sending.count.is_none() && sending.duration.is_none();
        let once = replay.map(|replay| replay.len() as u64);
        let whole = sending.profile.as_ref().and_then(Profile::whole);
        let default = whole.unwrap_or(DURATION_DEFAULT);
        Pace {
            timing,
            duration: sending
                .duration
                .or((is_endless && once.is_none()).then_some(default)),
            items: sending.count.or(once.filter(|_| is_endless)),
        }
    }
}

#[cfg(test)]
mod tests;
