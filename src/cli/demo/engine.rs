//! The engine of the demo: this binary as a child process, under the guide's configuration.
//!
//! A process of its own, so that its processor time is its own. Its addresses are loopback with free
//! ports, that of its own metrics too, which the guide's file leaves at the default; all else is the
//! repository's copy of that file to the letter. When the demo ends, however it ends short of a
//! kill, so does the child, and its folder goes.

use std::fs::{self, File};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use thiserror::Error;
use tokio::net::TcpStream;

use crate::telemetry::random;

const GUIDE: &str = include_str!("../../../config/guide-scrape.yaml");
/// The guide's addresses: gRPC, HTTP, the scrape endpoint, zpages.
const ENDPOINTS: [&str; 4] = [
    "0.0.0.0:4317",
    "0.0.0.0:4318",
    "0.0.0.0:1234",
    "localhost:55679",
];

const START_TIMEOUT: Duration = Duration::from_secs(10);
/// The engine drains for 10 s at most when a scraper it knows does not come again.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);
const POLL_PERIOD: Duration = Duration::from_millis(20);
/// Lines of the engine's log that an error shows.
const LOG_LINES_MAX: usize = 20;

#[derive(Debug, Error)]
pub(super) enum EngineError {
    #[error("cannot start the engine")]
    Start { source: io::Error },
    #[error("the engine ended with {status}; its log ends with\n{log}")]
    Ended { status: ExitStatus, log: String },
    #[error("the engine did not listen within {START_TIMEOUT:?}; its log ends with\n{log}")]
    Silent { log: String },
}

impl From<io::Error> for EngineError {
    fn from(source: io::Error) -> Self {
        Self::Start { source }
    }
}

pub(super) struct Engine {
    child: Child,
    folder: PathBuf,
    pub(super) addresses: Addresses,
}

#[derive(Clone, Debug)]
pub(super) struct Addresses {
    pub(super) grpc: String,
    pub(super) http: String,
    pub(super) scrape: String,
    pub(super) zpages: String,
    pub(super) own_metrics: SocketAddr,
}

impl Engine {
    /// Starts the engine and waits until it listens.
    pub(super) async fn start() -> Result<Self, EngineError> {
        let addresses = free_addresses()?;
        let folder = std::env::temp_dir().join(format!("spanmill-demo-{}", random::uuid()));
        fs::create_dir(&folder)?;
        let mut engine = match spawn(&folder, &addresses) {
            Ok(child) => Self {
                child,
                folder,
                addresses,
            },
            Err(error) => {
                // The first error is the one to tell.
                let _ = fs::remove_dir_all(&folder);
                return Err(error.into());
            }
        };
        engine.wait_until_listening().await?;
        Ok(engine)
    }

    async fn wait_until_listening(&mut self) -> Result<(), EngineError> {
        let begun = Instant::now();
        let Addresses { grpc, scrape, .. } = self.addresses.clone();
        loop {
            let is_listening = TcpStream::connect(&grpc).await.is_ok()
                && TcpStream::connect(&scrape).await.is_ok();
            if is_listening {
                return Ok(());
            }
            self.check()?;
            if begun.elapsed() > START_TIMEOUT {
                return Err(EngineError::Silent {
                    log: self.log_end(),
                });
            }
            tokio::time::sleep(POLL_PERIOD).await;
        }
    }

    /// An error when the engine is no longer there.
    pub(super) fn check(&mut self) -> Result<(), EngineError> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(EngineError::Ended {
                status,
                log: self.log_end(),
            }),
        }
    }

    /// Asks the engine to end, pays it the visit that it waits for, and waits for the end; `None` when
    /// that did not come in time and the engine was killed.
    pub(super) async fn stop(mut self, visit: impl Future) -> io::Result<Option<ExitStatus>> {
        // It may have ended already.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        visit.await;
        let begun = Instant::now();
        while begun.elapsed() < STOP_TIMEOUT {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            tokio::time::sleep(POLL_PERIOD).await;
        }
        Ok(None)
    }

    /// Processor time of all threads, from the scheduler's own account in nanoseconds. `None` where
    /// the kernel keeps none.
    pub(super) fn cpu(&self) -> Option<Duration> {
        let mut nanos = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()? {
            let account = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            nanos += account.split(' ').next()?.parse::<u64>().ok()?;
        }
        Some(Duration::from_nanos(nanos))
    }

    fn log_end(&self) -> String {
        let log = fs::read_to_string(self.folder.join("engine.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_MAX)..].join("\n")
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Both fail when the engine has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn spawn(folder: &std::path::Path, addresses: &Addresses) -> io::Result<Child> {
    let config = folder.join("config.yaml");
    fs::write(&config, configuration(addresses))?;
    let log = File::create(folder.join("engine.log"))?;
    Command::new(std::env::current_exe()?)
        .arg(format!("--config={}", config.display()))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // A group of its own: Ctrl-C is for the demo, which then ends the engine in order.
        .process_group(0)
        .spawn()
}

/// The guide's file with our addresses.
fn configuration(addresses: &Addresses) -> String {
    let Addresses {
        grpc,
        http,
        scrape,
        zpages,
        own_metrics,
    } = addresses;
    let ours = ENDPOINTS
        .into_iter()
        .zip([grpc, http, scrape, zpages])
        .fold(GUIDE.to_owned(), |text, (from, to)| text.replace(from, to));
    // The file ends inside `service`.
    format!(
        "{ours}  telemetry:\n    metrics:\n      readers:\n        \
         - pull: {{exporter: {{prometheus: {{host: {}, port: {}}}}}}}\n",
        own_metrics.ip(),
        own_metrics.port()
    )
}

/// Ports that were free a moment ago.
fn free_addresses() -> io::Result<Addresses> {
    // All are held until all are chosen, so that no two are the same.
    let [grpc, http, scrape, zpages, own_metrics] =
        [(); 5].map(|()| TcpListener::bind("127.0.0.1:0"));
    let text = |listener: &TcpListener| Ok::<_, io::Error>(listener.local_addr()?.to_string());
    let held = [grpc?, http?, scrape?, zpages?, own_metrics?];
    Ok(Addresses {
        grpc: text(&held[0])?,
        http: text(&held[1])?,
        scrape: text(&held[2])?,
        zpages: text(&held[3])?,
        own_metrics: held[4].local_addr()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;
    use crate::pipeline::settings::load;

    #[test]
    fn only_the_addresses_of_the_guide_are_changed() {
        let addresses = free_addresses().expect("loopback");
        let ours = configuration(&addresses);
        let changed: Vec<(&str, &str)> = GUIDE
            .lines()
            .zip(ours.lines())
            .filter(|(theirs, ours)| theirs != ours)
            .collect();
        assert_eq!(changed.len(), 4);
        assert!(changed.iter().all(|(_, ours)| ours.contains("127.0.0.1:")));
    }

    #[test]
    fn no_two_demos_share_an_address() {
        let addresses = free_addresses().expect("loopback");
        let ours = Source::new("demo", configuration(&addresses));
        let settings = load(&ours, &|_| None, "", true).expect("a good configuration");
        let own_metrics = settings.service.telemetry.metrics_endpoint;
        assert_eq!(own_metrics, Some(addresses.own_metrics.to_string()));
        assert_eq!(settings.extensions[0].1.endpoint, addresses.zpages);
    }
}
