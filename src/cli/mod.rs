//! The person: arguments in, an exit status out.
//!
//! | file | purpose |
//! |---|---|
//! | `run` | the program itself: `spanmill --config=FILE` |
//! | `validate` | checks a file, binds nothing |
//! | `explain` | prints the compiled plan |
//! | `generate` | the bundled load generator |
//! | `demo` | the engine, fed and shown live |

#![allow(
    clippy::print_stdout,
    reason = "what a person asked for goes to standard output"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub mod demo;
pub mod explain;
pub mod generate;
pub mod run;
pub mod validate;

/// Turns OTLP spans into RED metrics and serves them to Prometheus.
#[derive(Parser)]
#[command(name = "spanmill", version, args_conflicts_with_subcommands = true)]
#[command(subcommand_negates_reqs = true)]
struct Arguments {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Check a configuration: silent and 0 when it is good. Binds nothing.
    Validate(validate::ValidateArgs),
    /// Print what the configuration compiles to.
    Explain(explain::ExplainArgs),
    /// Send OTLP load and check what comes out.
    Generate(Box<generate::GenerateArgs>),
    /// Run the engine with the guide's configuration, feed it, and show it live.
    Demo(demo::DemoArgs),
}

/// Which configuration, and which gates.
#[derive(Args, Clone, Debug)]
pub struct ConfigArgs {
    /// The configuration file, as the OpenTelemetry Collector takes it.
    #[arg(long, value_name = "FILE", required = true)]
    pub config: Option<PathBuf>,
    /// Feature gates, comma-separated; a minus in front switches one off.
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub feature_gates: Vec<String>,
}

/// Runs what the command line asks for.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.command {
        None => run::run(&arguments.config),
        Some(Command::Validate(args)) => validate(&args),
        Some(Command::Explain(args)) => explain::run(&args),
        Some(Command::Generate(args)) => generate::run(*args),
        Some(Command::Demo(args)) => demo::run(args),
    }
}

fn validate(args: &validate::ValidateArgs) -> ExitCode {
    let env = |name: &str| std::env::var(name).ok();
    match validate::run(args, &env, &mut std::io::stderr()) {
        Ok(status) => ExitCode::from(status),
        Err(_) => ExitCode::FAILURE,
    }
}
