//! `spanmill --config=FILE`: the program itself.

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::Value;

use crate::cli::ConfigArgs;
use crate::config::Source;
use crate::pipeline::lifecycle::{self, Ended};
use crate::pipeline::settings::{self, Settings};
use crate::telemetry::log::Logger;

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
            let mut causes = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                causes = format!("{causes}: {cause}");
                source = cause.source();
            }
            logger.error("cannot start", &[("error", Value::from(causes))]);
            ExitCode::FAILURE
        }
    }
}

/// Reads the configuration. `None`: what is wrong stands on standard error.
pub(super) fn load(args: &ConfigArgs) -> Option<Settings> {
    let path = args.config.as_ref().expect("the command line demands it");
    let loaded = Source::read(path)
        .map_err(|error| format!("error: {error}: {}\n", error.cause))
        .and_then(|source| {
            let env = |name: &str| env::var(name).ok();
            settings::load(&source, &env, &args.feature_gates.join(","), false)
                .map_err(|report| report.render())
        });
    loaded
        .map_err(|text| {
            // Standard error that is closed has nowhere to be reported.
            let _ = io::stderr().write_all(text.as_bytes());
        })
        .ok()
}
