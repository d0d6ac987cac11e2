//! The person: arguments in, an exit status out.
//!
//! | file | purpose |
//! |---|---|
//! | `run` | the program itself: `spanmill --config=FILE` |
//! | `validate` | checks a file, binds nothing |
//! | `explain` | prints the compiled plan |
//! | `generate` | the bundled load generator |
//! | `demo` | the engine, fed and shown live |
//!
//! The exit status is the Collector's: 0, or 1 for whatever is wrong, the command line too.

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand};

use crate::config::duration;
use crate::telemetry::log::with_causes;

pub mod demo;
pub mod explain;
pub mod generate;
pub mod run;
pub mod validate;

/// Turns OTLP spans into RED metrics and serves them to Prometheus.
#[derive(Parser)]
#[command(name = "spanmill", version, disable_version_flag = true)]
#[command(args_conflicts_with_subcommands = true)]
#[command(subcommand_negates_reqs = true)]
struct Arguments {
    #[command(flatten)]
    config: Option<ConfigArgs>,
    /// Print the version
    #[arg(short, long, action = ArgAction::Version)]
    version: (),
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Check a configuration and bind nothing: silent, with exit status 0, when it is good
    Validate(validate::ValidateArgs),
    /// Print what a configuration compiles to
    Explain(explain::ExplainArgs),
    /// Send OTLP spans and, with --verify, check what the target makes of them
    Generate(Box<generate::GenerateArgs>),
    /// Run the engine with the sidecar guide's configuration, feed it, and show it live
    Demo(demo::DemoArgs),
}

/// Which configuration, and which gates.
#[derive(Args, Clone, Debug)]
pub struct ConfigArgs {
    /// Configuration of an OpenTelemetry Collector: a path, with or without file: in front
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Feature gates to switch on, or off with a minus in front, separated by commas; repeatable
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub feature_gates: Vec<String>,
}

/// What is said to one who gives no arguments at all.
const NO_ARGUMENTS: &str = "\
error: a --config must be given

  spanmill --config=FILE    run a configuration of an OpenTelemetry Collector
  spanmill demo             see it work without one

For more information, try '--help'.
";

/// Runs what the command line asks for.
#[must_use]
pub fn main() -> ExitCode {
    if std::env::args_os().len() < 2 {
        say(NO_ARGUMENTS);
        return ExitCode::FAILURE;
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(answer) => {
            // Help, the version, or what is wrong. A closed stream has nowhere to be reported.
            let _ = answer.print();
            return ExitCode::from(u8::from(answer.use_stderr()));
        }
    };
    match arguments.command {
        None => run::run(
            &arguments
                .config
                .expect("demanded where there is no command"),
        ),
        Some(Command::Validate(args)) => validate(&args),
        Some(Command::Explain(args)) => explain::run(&args),
        Some(Command::Generate(args)) => on_a_runtime(generate::generate(*args)),
        Some(Command::Demo(args)) => on_a_runtime(demo::demo(args)),
    }
}

fn validate(args: &validate::ValidateArgs) -> ExitCode {
    let env = |name: &str| std::env::var(name).ok();
    match validate::run(args, &env, &mut io::stderr()) {
        Ok(status) => ExitCode::from(status),
        Err(_) => ExitCode::FAILURE,
    }
}

/// Runs a command to its end; it answers whether all is well.
fn on_a_runtime(command: impl Future<Output = Result<bool, Box<dyn Error>>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(command),
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("error: {}\n", with_causes(&*error)));
            ExitCode::FAILURE
        }
    }
}

/// Writes to standard error, which may be closed: that has nowhere to be reported.
fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// A duration of the command line, as the configuration writes them.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let wanted = "a duration is a number with a unit, as 1.5s, 20ms or 1h30m";
    let ns = duration::parse(text).map_err(|error| format!("{error}: {wanted}"))?;
    let ns = u64::try_from(ns).map_err(|_| "a duration is not negative")?;
    Ok(Duration::from_nanos(ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_the_configuration_but_never_negative() {
        for (text, millis) in [
            ("0s", 0),
            ("20ms", 20),
            ("1.5s", 1_500),
            ("1h30m", 5_400_000),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in ["", "5", "s", "-1s", "1d", "1.2.3s", "1 s", "9999999999h"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
