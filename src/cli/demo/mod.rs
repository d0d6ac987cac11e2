//! `spanmill demo`: the engine, a load on it, and a live RED table from its own scrape endpoint.
//!
//! Everything goes over real sockets. Ends after `--for` or with Ctrl-C, with a summary; exit status
//! 1 when what the engine counted is not what it acknowledged.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::generate::text::grouped;
use super::parse_duration;
use crate::generate::scenario::builtin;
use crate::generate::verify::scrape;
use crate::generate::{Finished, Pace, RunOptions, Running, Scenario, Target, start};

mod engine;
mod red;
mod table;

use engine::{Addresses, Engine};
use red::Red;
use table::Screen;

const SCRAPE_PERIOD: Duration = Duration::from_secs(1);
/// Scrapes that the table looks back: rates and quantiles are those of the last 5 s.
const SCRAPES_KEPT: usize = 6;
/// The engine shows what it has acknowledged at once; this bounds a failing demo only.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Args, Clone, Copy, Debug)]
pub struct DemoArgs {
    /// How long to run, as 20s [default: until Ctrl-C]
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    pub duration: Option<Duration>,
    /// Spans per second
    #[arg(long, value_name = "SPANS", default_value_t = 10_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: u32,
    /// Start of the random numbers: the same seed sends the same spans
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
}

/// Runs the command; answers whether the engine counted what it acknowledged.
pub(super) async fn demo(args: DemoArgs) -> Result<bool, Box<dyn Error>> {
    let mut engine = Engine::start().await?;
    writeln!(stdout(), "{}", introduction(&engine.addresses))?;
    let target = Target::parse(&engine.addresses.scrape, 80)?;
    let cpu_before = engine.cpu();
    let mut running = start(load(args, &engine.addresses)?)?;
    watch(&mut engine, &target, &mut running).await?;
    let finished = running.finish();

    let counted = counted(&target, finished.tally.acknowledged().items).await?;
    let cpu = engine
        .cpu()
        .zip(cpu_before)
        .map(|(now, before)| now.saturating_sub(before));
    // A last scrape: the engine waits for one of every scraper it knows. It may have ended without it.
    let status = engine.stop(scrape(&target)).await?;

    writeln!(stdout(), "{}", summary(&finished, counted, cpu))?;
    match status {
        Some(status) if status.success() => {}
        Some(status) => writeln!(stdout(), "the engine ended with {status}")?,
        None => writeln!(stdout(), "the engine did not end by itself and was killed")?,
    }
    let is_exact =
        (finished.tally.acknowledged().items..=finished.tally.sent().items).contains(&counted);
    Ok(is_exact && counted > 0 && status.is_some_and(|status| status.success()))
}

fn introduction(addresses: &Addresses) -> String {
    let Addresses {
        grpc,
        http,
        scrape,
        zpages,
        own_metrics,
    } = addresses;
    format!(
        "spanmill runs the sidecar guide's configuration on loopback:\n\
         \x20 OTLP   grpc {grpc}, http {http}\n\
         \x20 scrape curl -s http://{scrape}/metrics\n\
         \x20 pages  http://{zpages}/debug/servicez\n\
         \x20 own metrics, such as spans refused: curl -s http://{own_metrics}/metrics\n\
         \x20 for Prometheus:\n\
         \x20   scrape_configs:\n\
         \x20     - job_name: spanmill-demo\n\
         \x20       scrape_interval: 5s\n\
         \x20       static_configs: [{{targets: [\"{scrape}\"]}}]\n"
    )
}

fn load(args: DemoArgs, addresses: &Addresses) -> Result<RunOptions, Box<dyn Error>> {
    let load = Scenario {
        seed: args.seed,
        ..builtin::scenario("shop").expect("it is built in")
    };
    Ok(RunOptions {
        pace: Pace::steady(f64::from(args.rate), args.duration, None),
        connections: usize::from(load.connections),
        in_flight: 4,
        items_per_request: load.spans_per_request,
        load,
        ..RunOptions::new(Target::parse(&addresses.grpc, 4317)?)
    })
}

/// Draws the table until the run is over, or Ctrl-C or SIGTERM ends it.
async fn watch(
    engine: &mut Engine,
    target: &Target,
    running: &mut Running,
) -> Result<(), Box<dyn Error>> {
    let mut screen = Screen::new();
    let mut scrapes: VecDeque<(Instant, Red)> = VecDeque::new();
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut terminations = signal(SignalKind::terminate())?;
    let mut ticks = tokio::time::interval(SCRAPE_PERIOD);
    loop {
        tokio::select! {
            () = running.ended() => return Ok(()),
            _ = interrupts.recv() => running.stop(),
            _ = terminations.recv() => running.stop(),
            _ = ticks.tick() => {
                engine.check()?;
                scrapes.push_back((Instant::now(), Red::read(&scrape(target).await?)?));
                if scrapes.len() > SCRAPES_KEPT {
                    scrapes.pop_front();
                }
                show(&mut screen, &scrapes, running)?;
            }
        }
    }
}

fn show(
    screen: &mut Screen,
    scrapes: &VecDeque<(Instant, Red)>,
    running: &Running,
) -> std::io::Result<()> {
    let (Some((earlier, first)), Some((now, last))) = (scrapes.front(), scrapes.back()) else {
        return Ok(());
    };
    let seconds = now.duration_since(*earlier).as_secs_f64();
    if seconds <= 0.0 {
        return Ok(());
    }
    let status = format!(
        "{} s, {} spans acknowledged, {} counted; Ctrl-C ends",
        running.elapsed().as_secs(),
        grouped(running.tally().acknowledged().items),
        grouped(last.calls() as u64)
    );
    screen.show(&last.rows_since(first, seconds), &status)
}

/// Spans that the engine shows, at least `acknowledged` unless it never comes to that.
async fn counted(target: &Target, acknowledged: u64) -> Result<u64, Box<dyn Error>> {
    let begun = Instant::now();
    loop {
        // Whole numbers far below 2^53.
        let counted = Red::read(&scrape(target).await?)?.calls() as u64;
        if counted >= acknowledged || begun.elapsed() > SETTLE_TIMEOUT {
            return Ok(counted);
        }
        tokio::time::sleep(SCRAPE_PERIOD / 10).await;
    }
}

fn summary(finished: &Finished, counted: u64, cpu: Option<Duration>) -> String {
    let tally = &finished.tally;
    let cpu = match cpu {
        Some(cpu) => format!(
            "{:.2} s of the engine, scrapes included: {:.2} us a span",
            cpu.as_secs_f64(),
            cpu.as_secs_f64() * 1e6 / counted.max(1) as f64
        ),
        None => "this kernel keeps no account".to_owned(),
    };
    format!(
        "\nsent          {} spans in {:.1} s\nacknowledged  {}\ncounted       {}\nCPU           {cpu}",
        grouped(tally.sent().items),
        finished.elapsed.as_secs_f64(),
        grouped(tally.acknowledged().items),
        grouped(counted)
    )
}
