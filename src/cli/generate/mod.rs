//! `spanmill generate`: arguments in, a load sent, a live line and a report out.
//!
//! Exit status: 0; 1 when nothing was acknowledged or, with `--verify`, when the target shows
//! anything else than what it was sent.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::generate::verify::Verifier;
use crate::generate::{Finished, Running, Target, report, start};

mod args;
pub(super) mod duration;
pub(super) mod text;

pub use args::{GenerateArgs, ReportArg};

/// Between two live lines.
const LIVE_PERIOD: Duration = Duration::from_secs(1);

/// Runs the command.
#[must_use]
pub fn run(args: GenerateArgs) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(generate(args)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&*error);
            ExitCode::FAILURE
        }
    }
}

/// One line with the error and what caused it.
pub(super) fn complain(error: &dyn Error) {
    let mut line = format!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    eprintln!("{line}");
}

/// Whether all is well.
async fn generate(args: GenerateArgs) -> Result<bool, Box<dyn Error>> {
    let mut options = args.run_options()?;
    let verifier = match &args.verify.verify {
        Some(url) => {
            let target = Target::parse(url, 80)?;
            Some(Verifier::begin(target, args.verify.expectation()?).await?)
        }
        None => None,
    };
    if let Some(verifier) = &verifier {
        options.totals = Some(verifier.bounds_ns()?);
    }
    options.target.probe().await?;

    let running = start(options)?;
    let load = Arc::clone(&running.load);
    let finished = watch(running, args.quiet).await;
    let verdict = match (&verifier, &finished.sent) {
        (Some(verifier), Some(sent)) => {
            if !args.quiet {
                eprintln!("verifying, for at most {:?}", args.verify.verify_settle);
            }
            let settle_max = args.verify.verify_settle;
            Some(verifier.settle(&load, sent, settle_max).await?)
        }
        _ => None,
    };

    if args.report == Some(ReportArg::Json) {
        println!("{:#}", report::json(&finished, verdict.as_ref()));
    } else {
        print!("{}", text::summary(&finished, verdict.as_ref()));
    }
    let is_right = verdict.is_none_or(|verdict| verdict.differences.is_empty());
    Ok(is_right && finished.tally.acknowledged.spans > 0)
}

/// Draws the live line until the run is over or Ctrl-C ends it.
async fn watch(mut running: Running, quiet: bool) -> Finished {
    let mut ticks = tokio::time::interval(LIVE_PERIOD);
    ticks.tick().await;
    let mut before = (Instant::now(), 0);
    loop {
        tokio::select! {
            () = running.ended() => return running.finish(),
            _ = tokio::signal::ctrl_c() => running.stop(),
            _ = ticks.tick() => {
                let (now, tally) = (Instant::now(), running.tally());
                let spans = tally.acknowledged.spans;
                let seconds = now.duration_since(before.0).as_secs_f64();
                if !quiet {
                    let rate = (spans - before.1) as f64 / seconds;
                    let line = text::live_line(running.elapsed(), rate, &tally);
                    // A closed standard error is no reason to stop the load.
                    let _ = writeln!(std::io::stderr(), "{line}");
                }
                before = (now, spans);
            }
        }
    }
}
