//! `spanmill validate`: says what is wrong with a configuration, and binds nothing.

use std::io::{self, Write};

use clap::Args;

use crate::cli::ConfigArgs;
use crate::config::{Environment, Source};
use crate::pipeline::settings;
use crate::telemetry::log::with_causes;

#[derive(Args, Clone, Debug)]
pub struct ValidateArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Refuse what is only accepted because its meaning is plain
    #[arg(long)]
    pub strict: bool,
}

/// The exit status. Silent when there is nothing to say; everything else goes to `stderr`.
pub fn run(args: &ValidateArgs, env: Environment, stderr: &mut dyn Write) -> io::Result<u8> {
    let source = match Source::read(&args.config.config) {
        Ok(source) => source,
        Err(error) => {
            writeln!(stderr, "error: {}", with_causes(&error))?;
            return Ok(1);
        }
    };
    let gates = args.config.feature_gates.join(",");
    let checked = settings::check(&source, env, &gates, args.strict);
    stderr.write_all(checked.report.render().as_bytes())?;
    Ok(u8::from(checked.settings.is_none()))
}
