//! `spanmill generate`: arguments in, a load sent, a live line and a report out.
//!
//! Exit status: 0; 1 when nothing was acknowledged or, with `--verify`, when the target shows
//! anything else than what it was sent.

use std::error::Error;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cli::say;
use crate::generate::{Finished, Running, report, start};

mod args;
mod expectation;
pub(super) mod text;
mod verification;

pub use args::GenerateArgs;
use args::ReportArg;
use verification::Begun;

/// Between two live lines.
const LIVE_PERIOD: Duration = Duration::from_secs(1);

/// Runs the command; answers whether all is well.
pub(super) async fn generate(args: GenerateArgs) -> Result<bool, Box<dyn Error>> {
    let mut options = args.run_options()?;
    let verifier = match verification::begin(&args.verify, &options.target).await? {
        Begun::NotAsked => None,
        Begun::Ready(verifier) => Some(verifier),
        Begun::Wrong => return Ok(false),
    };
    options.totals = verifier.as_ref().map(|verifier| verifier.bounds_ns());
    options.target.probe().await?;

    let running = start(options)?;
    let load = Arc::clone(&running.load);
    let finished = watch(running, args.quiet).await;
    let verdict = match (&verifier, &finished.sent) {
        (Some(verifier), Some(sent)) => {
            let settle_max = args.verify.verify_settle;
            if !args.quiet {
                say(&format!("verifying, for at most {settle_max:?}\n"));
            }
            Some(verifier.settle(&load, sent, settle_max).await?)
        }
        _ => None,
    };

    let text = match args.report {
        Some(ReportArg::Json) => format!("{:#}\n", report::json(&finished, verdict.as_ref())),
        None => text::summary(&finished, verdict.as_ref()),
    };
    std::io::stdout().write_all(text.as_bytes())?;
    let is_right = verdict.is_none_or(|verdict| verdict.passed());
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
                    say(&format!("{line}\n"));
                }
                before = (now, spans);
            }
        }
    }
}
