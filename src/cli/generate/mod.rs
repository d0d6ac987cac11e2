//! `spanmill generate`: arguments in, a load sent, a live line and a report out.
//!
//! Exit status: 0; 1 when nothing was acknowledged, when the target took a request that was broken on
//! purpose or, with `--verify`, when it shows anything else than what it was sent.

use std::error::Error;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::say;
use crate::generate::scenario::builtin;
use crate::generate::{Finished, Running, Tally, report, start};

mod args;
mod expectation;
mod listen;
pub(super) mod text;
mod verification;

pub use args::GenerateArgs;
use args::ReportArg;
use verification::Begun;

/// Between two live lines.
const LIVE_PERIOD: Duration = Duration::from_secs(1);

/// Runs the command; answers whether all is well.
pub(super) async fn generate(args: GenerateArgs) -> Result<bool, Box<dyn Error>> {
    if let Some(name) = &args.load.print_scenario {
        let text = builtin::text(name).expect("the command line allows built-in names only");
        std::io::stdout().write_all(text.as_bytes())?;
        return Ok(true);
    }
    let mut interrupts = Interrupts::new()?;
    if !args.capture.listen.is_empty() {
        return listen::listen(&args, &mut interrupts).await;
    }
    let mut options = args.run_options()?;
    let verifier = match verification::begin(&args.verify, &options.target).await? {
        Begun::NotAsked => None,
        Begun::Ready(verifier) => Some(verifier),
        Begun::Wrong => return Ok(false),
    };
    options.totals = verifier.as_ref().map(|verifier| verifier.bounds_ns());
    options.target.probe(options.answer_timeout).await?;

    let running = start(options)?;
    let load = Arc::clone(&running.load);
    let finished = watch(running, args.quiet, &mut interrupts).await;
    let verdict = match (&verifier, &finished.sent) {
        (Some(verifier), Some(sent)) => {
            let settle_max = args.verify.verify_settle;
            if !args.quiet {
                say(&format!("verifying, for at most {settle_max:?}\n"));
            }
            tokio::select! {
                verdict = verifier.settle(&load, sent, settle_max) => Some(verdict?),
                () = interrupts.came() => return Err("ended before the target was verified".into()),
            }
        }
        _ => None,
    };

    let text = match args.report {
        Some(ReportArg::Json) => format!("{:#}\n", {
            let command: Vec<String> = std::env::args().collect();
            report::json(&finished, verdict.as_ref(), &command)
        }),
        None => text::summary(&finished, verdict.as_ref()),
    };
    std::io::stdout().write_all(text.as_bytes())?;
    if let Some(Err(error)) = finished.capture {
        return Err(error.into());
    }
    let is_right = verdict.is_none_or(|verdict| verdict.passed());
    Ok(is_right && is_well(&finished.tally))
}

/// Whether something was acknowledged, if anything acceptable was due, and nothing wrongly.
fn is_well(tally: &Tally) -> bool {
    let is_all_malformed = tally.used().next().is_none() && tally.malformed.sent() > 0;
    let is_acknowledged = tally.acknowledged().requests > 0 || is_all_malformed;
    is_acknowledged && tally.malformed.wrongly_accepted() == 0
}

/// Draws the live line until the run is over or is ended from outside.
async fn watch(mut running: Running, quiet: bool, interrupts: &mut Interrupts) -> Finished {
    let mut ticks = tokio::time::interval(LIVE_PERIOD);
    ticks.tick().await;
    let mut before = text::Moment::default();
    loop {
        tokio::select! {
            () = running.ended() => return running.finish(),
            () = interrupts.came() => running.stop(),
            _ = ticks.tick() => {
                let tally = running.tally();
                let now = text::Moment::of(running.elapsed(), &tally);
                if !quiet {
                    say(&format!("{}\n", text::live_line(before, now, &tally, running.is_replay())));
                }
                before = now;
            }
        }
    }
}

/// Ctrl-C and SIGTERM.
struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn came(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Defect, Share};

    #[test]
    fn run_is_well_if_what_is_right_was_taken_and_what_is_wrong_was_not() {
        let mut tally = Tally::default();
        assert!(!is_well(&tally));
        tally.malformed.unanswered = 1;
        assert!(is_well(&tally));
        tally.signals[0].unanswered = Share {
            requests: 1,
            items: 9,
        };
        assert!(!is_well(&tally));
        tally.signals[0].acknowledged = tally.signals[0].unanswered;
        assert!(is_well(&tally));
        tally.malformed.accepted.insert(Defect::Truncated, 1);
        assert!(!is_well(&tally));
    }
}
