//! `spanmill generate --listen ADDRESS --capture FILE`: requests of others into a file.

use std::error::Error;
use std::time::{Duration, Instant};

use super::Interrupts;
use super::args::GenerateArgs;
use super::text::grouped;
use crate::cli::say;
use crate::generate::capture::CaptureSummary;
use crate::generate::capture::listen::Listening;

/// Between two live lines.
const LIVE_PERIOD: Duration = Duration::from_secs(1);

/// Listens until the time is over, the file is full or somebody ends it. Well, if anything came.
pub(super) async fn listen(
    args: &GenerateArgs,
    interrupts: &mut Interrupts,
) -> Result<bool, Box<dyn Error>> {
    let options = args.capture.options();
    let options = options.expect("the command line demands --capture beside --listen");
    let listening = Listening::start(&args.capture.listen, &options).await?;
    let begun = Instant::now();
    if !args.quiet {
        for address in &listening.addresses {
            say(&format!("listening on {address}, gRPC and HTTP\n"));
        }
    }
    let mut ticks = tokio::time::interval(LIVE_PERIOD);
    ticks.tick().await;
    let rest = |limit: Duration| limit.saturating_sub(begun.elapsed());
    loop {
        tokio::select! {
            () = interrupts.came() => break,
            () = listening.full() => break,
            () = tokio::time::sleep(args.sending.duration.map_or(Duration::MAX, rest)) => break,
            _ = ticks.tick() => {
                if !args.quiet {
                    say(&format!("{:>4}s  {}\n", begun.elapsed().as_secs(), counts(listening.summary())));
                }
            }
        }
    }
    let summary = listening.finish()?;
    say(&format!("captured {}\n", counts(summary)));
    Ok(summary.requests > 0)
}

fn counts(summary: CaptureSummary) -> String {
    let left_out = match summary.left_out {
        0 => String::new(),
        count => format!(
            "; {} requests did not fit and were left out",
            grouped(count)
        ),
    };
    format!(
        "{} requests, {} bytes{left_out}",
        grouped(summary.requests),
        grouped(summary.bytes)
    )
}
