//! The life of the process: start, serve, drain. Runs on the service thread.
//!
//! Shutdown, in order:
//! 1. SIGTERM or SIGINT: the workers are told to drain. Listeners close, connections end politely.
//! 2. Requests in flight are finished and answered; the worker threads end.
//! 3. A fold takes in what they left. Its time is what scrapers must have seen. Connectors are flushed
//!    for those that show flushes.
//! 4. Scrape endpoints go on until each known scraper has got everything up to that time, or
//!    `drain_scrape_wait` is over, or a second signal comes. Nobody known: at once.
//! 5. Web servers end what they are writing, the folder ends, exit status 0.

use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal as UnixSignal, SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::exporters::prometheus::PrometheusExporter;
use crate::pipeline::StartError;
use crate::pipeline::build::{self, Engine};
use crate::pipeline::readers::{fold_now, last_flush};
use crate::pipeline::settings::Settings;
use crate::store::folder_thread::FolderClient;
use crate::store::window::OwnerId;
use crate::telemetry::log::{Logger, with_causes};
use crate::workers::web::{self, WebLimits};
use crate::workers::{WorkerOptions, Workers};

/// How often the drain looks whether all scrapers have come.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How the process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A signal, then a drain.
    Drained,
    /// A thread of ours died: a bug, said in the log.
    Broken,
}

/// Starts what the settings say and runs it until a signal ends it.
///
/// # Errors
/// Something cannot start, a taken port as a rule. Nothing is served then.
pub fn run(settings: &Settings, logger: &Logger) -> Result<Ended, StartError> {
    logger.info(
        "Starting spanmill...",
        &[("Version", Value::from(env!("CARGO_PKG_VERSION")))],
    );
    for notice in &settings.notices {
        let fields = [("place", Value::from(notice.place.as_str()))];
        if notice.warning {
            logger.warn(&notice.message, &fields);
        } else {
            logger.info(&notice.message, &fields);
        }
    }
    let threads = |source| StartError::Threads { source };
    let runtime: Runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(threads)?;
    LocalSet::new().block_on(&runtime, async {
        // Before the first socket: a signal during the start must not kill half a program.
        let signals = Signals::new().map_err(threads)?;
        let engine = build::build(settings, logger)?;
        serve(engine, settings, logger, signals)
            .await
            .map_err(threads)
    })
}

/// SIGTERM and SIGINT end the process, SIGHUP does not.
struct Signals {
    terminate: UnixSignal,
    interrupt: UnixSignal,
    hangup: UnixSignal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The next signal that ends something. Whoever sends SIGHUP wants the configuration read again,
    /// as the Collector does: it is said that nothing happens.
    async fn next(&mut self, logger: &Logger) -> &'static str {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return "terminated",
                _ = self.interrupt.recv() => return "interrupt",
                _ = self.hangup.recv() => logger.warn(
                    "the configuration is not read again on a signal yet; restart to apply changes",
                    &[("signal", Value::from("hangup"))],
                ),
            }
        }
    }
}

async fn serve(
    engine: Engine,
    settings: &Settings,
    logger: &Logger,
    mut signals: Signals,
) -> std::io::Result<Ended> {
    let Engine {
        receivers,
        stations,
        servers,
        exporters,
        folder,
        folder_thread,
        flushes,
    } = engine;
    let options = WorkerOptions {
        pin: settings.service.pin_workers,
        ..WorkerOptions::default()
    };
    let workers = Workers::start(stations, options)?;
    let (stop_web, web_stops) = watch::channel(false);
    let mut web = JoinSet::new();
    for server in servers {
        let listener = tokio::net::TcpListener::from_std(server.listener)?;
        web.spawn_local(web::serve(
            listener,
            server.handler,
            WebLimits::default(),
            web_stops.clone(),
        ));
    }
    let mut tasks = JoinSet::new();
    for (owner, every) in &flushes {
        tasks.spawn_local(flush(folder.clone(), *owner, *every));
    }
    // Last, as everything behind a receiver must be there before its first request.
    for receiver in receivers {
        let (dealer, logger) = (workers.dealer(), logger.clone());
        tasks.spawn_local(async move {
            if let Err(error) = receiver.serve(dealer).await {
                logger.error(
                    "a receiver ended",
                    &[("error", Value::from(with_causes(&error)))],
                );
            }
        });
    }
    logger.info(
        "Everything is ready. Begin running and processing data.",
        &[],
    );

    tokio::select! {
        name = signals.next(logger) => {
            logger.info("Received signal from OS", &[("signal", Value::from(name))]);
        }
        () = ended(&folder_thread) => {
            logger.error("the folder thread ended: nothing can be counted any more", &[]);
            return Ok(Ended::Broken);
        }
    }
    logger.info("Starting shutdown...", &[]);
    let is_whole = join(workers).await;
    if !is_whole {
        logger.error("a worker thread had ended by a panic", &[]);
    }
    let last = async {
        let folded_ms = fold_now(&folder).await.time_ms;
        let owners = flushes.iter().map(|(owner, _)| *owner);
        flush_last(&folder, owners.clone()).await;
        // Where scrapes show flushes, only one of this flush has seen everything.
        let mut last_ms = folded_ms;
        for owner in owners {
            let flush = last_flush(&folder, owner).await;
            last_ms = last_ms.max(flush.map_or(0, |snapshot| snapshot.time_ms));
        }
        last_ms
    };
    let last_ms = tokio::select! {
        last_ms = last => last_ms,
        () = ended(&folder_thread) => {
            logger.error("the folder thread ended: what came last is not counted", &[]);
            return Ok(Ended::Broken);
        }
    };
    let wait = settings.service.drain_scrape_wait;
    tokio::select! {
        () = all_settled(&exporters, last_ms) => {}
        () = sleep(wait) => logger.warn("not every scraper came once more", &[]),
        _ = signals.next(logger) => logger.warn("a second signal ends the waiting for scrapers", &[]),
    }
    stop_web.send_replace(true);
    while web.join_next().await.is_some() {}
    let (sender, stopped) = oneshot::channel();
    // Either end says that the last fold is done or the thread gone, which is what is waited for.
    let told = |_| {
        let _ = sender.send(());
    };
    if folder.stop(told) {
        let _ = stopped.await;
    }
    logger.info("Shutdown complete.", &[]);
    Ok(if is_whole {
        Ended::Drained
    } else {
        Ended::Broken
    })
}

async fn flush(folder: FolderClient, owner: OwnerId, every: Duration) {
    let mut ticks = interval(every);
    // As the Collector: a tick that comes late is not made up for.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        // A folder with too much to do flushes at the next tick.
        let _ = folder.tick(owner);
    }
}

/// Twice: under `collectorCompat` a counter is 0 in the first flush of its series.
async fn flush_last(folder: &FolderClient, owners: impl Iterator<Item = OwnerId>) {
    for owner in owners {
        for _ in 0..2 {
            while !folder.tick(owner) {
                sleep(LOOK_EVERY).await;
            }
        }
    }
}

/// True when no worker had panicked.
async fn join(workers: Workers) -> bool {
    workers.stop();
    let (sender, joined) = oneshot::channel();
    // Joining blocks, and scrapes go on meanwhile.
    let joiner = std::thread::Builder::new()
        .name("drain".to_owned())
        .spawn(move || {
            let _ = sender.send(workers.join().is_ok());
        });
    joiner.is_ok() && joined.await.unwrap_or(false)
}

async fn all_settled(exporters: &[PrometheusExporter], time_ms: u64) {
    loop {
        let open = exporters
            .iter()
            .map(|exporter| exporter.scrapers_seen(time_ms));
        if open.into_iter().all(|seen| seen.settled >= seen.active) {
            return;
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn ended(thread: &JoinHandle<()>) {
    while !thread.is_finished() {
        sleep(Duration::from_secs(1)).await;
    }
}
