//! The arguments that say what is sent: a scenario, or the size of the load that is there without.

use std::path::Path;

use clap::Args;

use super::{ArgsError, Settled};
use crate::cli::say;
use crate::config::Source;
use crate::generate::scenario::model::SignalWeights;
use crate::generate::scenario::size::{SPAN_BYTES_MAX, SPANS_PER_REQUEST_MAX};
use crate::generate::scenario::{builtin, logs, metrics};
use crate::generate::{LoadOptions, Scenario, Signal};

/// Prepared spans for each label set, so that hardly one is left out of the draw.
const SPANS_PER_LABEL_SET: u64 = 4;
const PREPARED_MIN: u64 = 64;
pub(super) const PREPARED_MAX: u64 = 1 << 16;

#[derive(Args, Clone, Debug)]
pub struct LoadArgs {
    /// What to send: shop, sidecar, gateway, cardinality-bomb or a file of your own
    /// [default: a web shop of the size that --services and the like give]
    #[arg(long, value_name = "NAME|FILE")]
    pub scenario: Option<String>,
    /// Print a built-in scenario, to start a file of your own from, and end
    #[arg(long, value_name = "NAME", exclusive = true)]
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(builtin::ALL.map(|(name, _)| name)))]
    pub print_scenario: Option<String>,
    /// How often a request is of each signal, as traces=8,metrics=1,logs=1; one that is not named is not
    /// sent [default: the scenario's, or traces alone]
    #[arg(long, value_name = "SIGNAL=WEIGHT,...", value_parser = parse_signals)]
    pub signals: Option<SignalWeights>,
    /// Spans in each request [default: the scenario's, or 512]
    #[arg(long, value_name = "SPANS")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(SPANS_PER_REQUEST_MAX)))]
    pub spans_per_request: Option<u32>,
    /// Values of service.name [default: 5; not with --scenario]
    #[arg(long, value_name = "COUNT", conflicts_with = "scenario")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub services: Option<u32>,
    /// Server routes of each service; it also has a client, an internal, a producer and a consumer
    /// operation [default: 5; not with --scenario]
    #[arg(long, value_name = "COUNT", conflicts_with = "scenario")]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub routes: Option<u32>,
    /// Resources (pods) of each service [default: the scenario's, or 1]
    #[arg(long, value_name = "COUNT")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub resources: Option<u32>,
    /// Values of user.id on server spans [default: 0, which is none; not with --scenario]
    #[arg(long, value_name = "COUNT", conflicts_with = "scenario")]
    #[arg(value_parser = clap::value_parser!(u32).range(..=10_000_000))]
    pub cardinality: Option<u32>,
    /// Share of spans with an error, 0 to 1 [default: the scenario's, or 0.02]
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    pub error_share: Option<f64>,
    /// Share of the other spans with events, 0 to 1 [default: 0.05; not with --scenario]
    #[arg(long, value_name = "SHARE", value_parser = parse_share, conflicts_with = "scenario")]
    pub event_share: Option<f64>,
    /// Mean bytes of a span, made up with attributes nobody asks for [default: the scenario's, or 800]
    #[arg(long, value_name = "BYTES")]
    #[arg(value_parser = clap::value_parser!(u32).range(..=i64::from(SPAN_BYTES_MAX)))]
    pub span_bytes: Option<u32>,
    /// Start of the random numbers: the same seed sends the same spans [default: the scenario's, or 1]
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
}

impl LoadArgs {
    /// The scenario with what the other flags change of it.
    pub(super) fn scenario(&self) -> Settled<Scenario> {
        let mut scenario = match &self.scenario {
            Some(word) => read(word)?,
            // The points and records of the built-in shop, whose services it has.
            None => Scenario {
                metrics: metrics::built_in(),
                logs: logs::built_in(),
                ..self.sized()?.into()
            },
        };
        if let Some(signals) = self.signals {
            scenario.signals = signals;
        }
        if let Some(spans) = self.spans_per_request {
            scenario.spans_per_request = spans;
        }
        if let Some(bytes) = self.span_bytes {
            scenario.span_bytes = usize::try_from(bytes)?;
        }
        if let Some(seed) = self.seed {
            scenario.seed = seed;
        }
        if let Some(pods) = self.resources {
            scenario.set_pods(pods);
        }
        if let Some(share) = self.error_share {
            scenario.set_error_share(share);
        }
        scenario.check_size()?;
        Ok(scenario)
    }

    /// A load that has only a size.
    fn sized(&self) -> Settled<LoadOptions> {
        let default = LoadOptions::default();
        let options = LoadOptions {
            services: self.services.unwrap_or(default.services),
            routes: self.routes.unwrap_or(default.routes),
            resources: self.resources.unwrap_or(default.resources),
            users: self.cardinality.unwrap_or(default.users),
            event_share: self.event_share.unwrap_or(default.event_share),
            seed: self.seed.unwrap_or(default.seed),
            ..default
        };
        options.check_size()?;
        Ok(options)
    }
}

/// A built-in scenario, or one in a file.
fn read(word: &str) -> Settled<Scenario> {
    if let Some(scenario) = builtin::scenario(word) {
        return Ok(scenario);
    }
    let path = Path::new(word);
    let is_name = path.extension().is_none() && path.components().count() == 1;
    if is_name && !path.exists() {
        let name = word.to_owned();
        return Err(ArgsError::NoScenario { name }.into());
    }
    match Scenario::read(Source::read(path)?) {
        Ok((scenario, remarks)) => {
            say(&remarks.render());
            Ok(scenario)
        }
        Err(report) => {
            say(&report.render());
            Err(ArgsError::Scenario.into())
        }
    }
}

/// Requests that hold about every label set of the load, and those of other signals that come with
/// them. None can be prepared of one that grows.
pub(super) fn prepared_for_all(scenario: &Scenario) -> u64 {
    if scenario.is_growing() {
        return 0;
    }
    let weight = |signal| u64::from(scenario.signals.of(signal));
    let of_all: u64 = Signal::ALL.into_iter().map(weight).sum();
    let spans = scenario.variants().saturating_mul(SPANS_PER_LABEL_SET);
    let requests = spans / u64::from(scenario.spans_per_request);
    let requests = requests.saturating_mul(of_all);
    // Without spans there are no label sets.
    let requests = requests.checked_div(weight(Signal::Traces));
    requests.map_or(PREPARED_MIN, |requests| {
        requests.clamp(PREPARED_MIN, PREPARED_MAX)
    })
}

/// `traces=8,metrics=1`
fn parse_signals(text: &str) -> Result<SignalWeights, String> {
    let mut weights = [None; 3];
    for pair in text.split(',') {
        let (name, weight) = pair.split_once('=').ok_or_else(|| {
            format!("`{pair}` is no signal with a weight, as in traces=8,metrics=1,logs=1")
        })?;
        let signal = Signal::ALL.into_iter().find(|signal| signal.name() == name);
        let signal = signal
            .ok_or_else(|| format!("`{name}` is no signal: there are traces, metrics and logs"))?;
        let weight: u32 = weight
            .parse()
            .map_err(|_| format!("`{weight}` is no weight: a whole number"))?;
        if weights[signal.index()].replace(weight).is_some() {
            return Err(format!("{name} have two weights"));
        }
    }
    let [traces, metrics, logs] = weights.map(Option::unwrap_or_default);
    let weights = SignalWeights {
        traces,
        metrics,
        logs,
    };
    if weights.is_nothing() {
        return Err("all weights are 0: nothing would be sent".to_owned());
    }
    if weights.mix(0).is_none() {
        let reason = "the weights are too fine: without a common factor at most 10000 together";
        return Err(reason.to_owned());
    }
    Ok(weights)
}

/// Names of the built-in scenarios, for a message.
pub(super) fn names() -> String {
    builtin::ALL.map(|(name, _)| name).join(", ")
}

pub(super) fn parse_share(text: &str) -> Result<f64, &'static str> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share is a number from 0 to 1"),
    }
}
