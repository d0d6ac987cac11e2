//! `spanmill explain --plan`: what a configuration compiles to.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;

use crate::cli::{ConfigArgs, run};
use crate::pipeline::plan::Plan;

#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Print the columns that are decoded and the ways that spans take
    #[arg(long, required = true)]
    pub plan: bool,
}

#[must_use]
pub fn run(args: &ExplainArgs) -> ExitCode {
    let Some(settings) = run::load(&args.config) else {
        return ExitCode::FAILURE;
    };
    let text = Plan::compile(&settings).describe(&settings);
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
