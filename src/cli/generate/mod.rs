//! `spanmill generate`: arguments in, a load sent, a live line and a report out.
//!
//! Exit status: 0; 1 when nothing was acknowledged or, with `--verify`, when the target shows
//! anything else than what it was sent.

use std::error::Error;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cli::{run, say};
use crate::generate::verify::{Expectation, Verifier};
use crate::generate::{Finished, Running, Target, report, start};

mod args;
mod expectation;
pub(super) mod text;

pub use args::GenerateArgs;
use args::{ReportArg, VerifyArgs};

/// Of a scrape endpoint whose address names none.
const SCRAPE_PORT: u16 = 80;
/// Between two live lines.
const LIVE_PERIOD: Duration = Duration::from_secs(1);

/// Runs the command; answers whether all is well.
pub(super) async fn generate(args: GenerateArgs) -> Result<bool, Box<dyn Error>> {
    let mut options = args.run_options()?;
    let verifier = match &args.verify.verify {
        Some(url) => {
            let target = Target::parse(url, SCRAPE_PORT)?;
            let Some(expectation) = expectation(&args.verify, &target)? else {
                return Ok(false);
            };
            Some(Verifier::begin(target, expectation).await?)
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
    let is_right = verdict.is_none_or(|verdict| verdict.differences.is_empty());
    Ok(is_right && finished.tally.acknowledged.spans > 0)
}

/// What `target` must show: by its configuration, or by the flags. `None`: the configuration is
/// wrong, which was said.
fn expectation(args: &VerifyArgs, target: &Target) -> Result<Option<Expectation>, Box<dyn Error>> {
    let Some(config) = args.config() else {
        return args.expectation().map(Some);
    };
    let Some(settings) = run::load(&config) else {
        return Ok(None);
    };
    let mut expectation = expectation::of(&settings, target.port())?;
    expectation
        .ignored_labels
        .extend_from_slice(&args.verify_ignore_label);
    Ok(Some(expectation))
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
