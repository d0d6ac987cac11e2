//! `spanmill validate`: says what is wrong with a configuration, and binds nothing.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use crate::config::{Environment, Source};
use crate::pipeline::settings;

/// Check a configuration and exit: 0 when it can be used, 1 when not.
#[derive(Args, Clone, Debug)]
pub struct ValidateArgs {
    /// The configuration.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Refuse what is only accepted because its meaning is plain.
    #[arg(long)]
    pub strict: bool,
    /// Gates to turn on, or off with a leading minus, separated by commas.
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub feature_gates: Vec<String>,
}

/// The exit status. Silent when there is nothing to say; everything else goes to `stderr`.
pub fn run(args: &ValidateArgs, env: Environment, stderr: &mut dyn Write) -> io::Result<u8> {
    let source = match Source::read(&args.config) {
        Ok(source) => source,
        Err(error) => {
            writeln!(stderr, "error: {error}: {}", error.cause)?;
            return Ok(1);
        }
    };
    let gates = args.feature_gates.join(",");
    let checked = settings::check(&source, env, &gates, args.strict);
    stderr.write_all(checked.report.render().as_bytes())?;
    Ok(u8::from(checked.settings.is_none()))
}
