//! `spanmill --config=FILE`: the program itself.

use std::io;
use std::process::ExitCode;

use serde_json::Value;

use crate::cli::{ConfigArgs, say};
use crate::config::Source;
use crate::pipeline::lifecycle::{self, Ended};
use crate::pipeline::settings::{self, Settings};
use crate::telemetry::log::{Logger, with_causes};

/// Runs until a signal ends it. 1 when it cannot start.
#[must_use]
pub fn run(args: &ConfigArgs) -> ExitCode {
    let Some(settings) = load(args) else {
        return ExitCode::FAILURE;
    };
    let telemetry = &settings.service.telemetry;
    let logger = Logger::new(
        Box::new(io::stderr()),
        telemetry.log_level,
        telemetry.log_encoding,
    );
    match lifecycle::run(&settings, &logger) {
        Ok(Ended::Drained) => ExitCode::SUCCESS,
        Ok(Ended::Broken) => ExitCode::FAILURE,
        Err(error) => {
            logger.error(
                "cannot start",
                &[("error", Value::from(with_causes(&error)))],
            );
            ExitCode::FAILURE
        }
    }
}

/// Reads the configuration. `None`: what is wrong stands on standard error.
pub(super) fn load(args: &ConfigArgs) -> Option<Settings> {
    let loaded = Source::read(&args.config)
        .map_err(|error| format!("error: {}\n", with_causes(&error)))
        .and_then(|source| {
            let env = |name: &str| std::env::var(name).ok();
            settings::load(&source, &env, &args.feature_gates.join(","), false)
                .map_err(|report| report.render())
        });
    loaded.map_err(|text| say(&text)).ok()
}
