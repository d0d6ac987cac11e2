//! Real threads with stations that only count.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;

use bytes::Bytes;

use super::super::budget::Budget;
use super::super::request::{Outcome, Reply, Request, Signal, Station};
use super::{BuildStation, WorkerOptions, Workers};

/// Tells how many requests each run had and on which worker it ran; drops count too.
struct Recorder {
    worker: usize,
    runs: mpsc::SyncSender<(usize, usize)>,
    dropped: Arc<AtomicUsize>,
    /// Two runs at a time meet here, if set.
    meet: Option<Arc<Barrier>>,
}

impl Station for Recorder {
    fn run(&mut self, ready: &mut Vec<Request>) {
        let _ = self.runs.send((self.worker, ready.len()));
        if let Some(meet) = &self.meet {
            meet.wait();
        }
        for request in ready.drain(..) {
            let items = u32::try_from(request.body.len()).expect("small");
            request.reply.send(Outcome::Accepted { items });
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

struct Bench {
    workers: Workers,
    runs: mpsc::Receiver<(usize, usize)>,
    dropped: Arc<AtomicUsize>,
}

fn start(count: usize, meet: Option<&Arc<Barrier>>, options: WorkerOptions) -> Bench {
    let (sender, runs) = mpsc::sync_channel(1024);
    let dropped = Arc::new(AtomicUsize::new(0));
    let stations = (0..count)
        .map(|worker| {
            let (runs, dropped, meet) = (sender.clone(), Arc::clone(&dropped), meet.cloned());
            Box::new(move || {
                Box::new(Recorder {
                    worker,
                    runs,
                    dropped,
                    meet,
                }) as Box<dyn Station>
            }) as BuildStation
        })
        .collect();
    Bench {
        workers: Workers::start(stations, options).expect("threads"),
        runs,
        dropped,
    }
}

fn request(signal: Signal, bytes: usize) -> (Request, tokio::sync::oneshot::Receiver<Outcome>) {
    let (reply, outcome) = Reply::channel();
    let request = Request {
        receiver: 0,
        signal,
        body: Bytes::from(vec![0; bytes]),
        permit: Budget::new(0).try_take(0).expect("nothing always fits"),
        reply,
    };
    (request, outcome)
}

/// Deals one connection that pushes bodies of these sizes at once and returns its outcomes.
fn deal(bench: &Bench, bodies: Vec<(Signal, usize)>) -> Vec<Option<Outcome>> {
    let (sender, outcomes) = mpsc::sync_channel(1024);
    let dealer = bench.workers.dealer();
    let dealt = dealer.deal(Box::new(move |worker| {
        Box::pin(async move {
            let pending: Vec<_> = bodies
                .into_iter()
                .map(|(signal, bytes)| {
                    let (request, outcome) = request(signal, bytes);
                    worker.push(request);
                    outcome
                })
                .collect();
            for outcome in pending {
                let _ = sender.send(outcome.await.ok());
            }
        })
    }));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    assert!(runtime.expect("a runtime").block_on(dealt));
    outcomes.iter().collect()
}

#[test]
fn what_is_ready_together_runs_together_and_all_is_answered() {
    let bench = start(1, None, WorkerOptions::default());
    let outcomes = deal(&bench, (1..=20).map(|n| (Signal::Traces, n)).collect());
    let expected: Vec<_> = (1..=20)
        .map(|items| Some(Outcome::Accepted { items }))
        .collect();
    assert_eq!(outcomes, expected);
    bench.workers.join().expect("no panic");
    let sizes: Vec<_> = bench.runs.iter().map(|(_, requests)| requests).collect();
    assert_eq!(sizes, [8, 8, 4]);
    assert_eq!(bench.dropped.load(Ordering::SeqCst), 1);
}

/// Each run waits for the other: this ends only if two workers run at a time. Work is handed only to
/// a worker that sleeps already, so both must before the first request.
#[test]
fn sleeping_worker_takes_what_one_connection_has_too_much_of() {
    let meet = Arc::new(Barrier::new(2));
    let bench = start(2, Some(&meet), WorkerOptions::default());
    let crew = bench.workers.dealer().crew;
    while !crew.seats.iter().all(|seat| seat.looks_parked()) {
        std::thread::yield_now();
    }
    let outcomes = deal(&bench, vec![(Signal::Traces, 400 << 10); 2]);
    assert!(outcomes.iter().all(Option::is_some));
    bench.workers.join().expect("no panic");
    let mut workers: Vec<_> = bench.runs.iter().map(|(worker, _)| worker).collect();
    workers.sort_unstable();
    assert_eq!(workers, [0, 1]);
}

#[test]
fn metrics_stay_on_the_worker_of_their_connection() {
    let bench = start(2, None, WorkerOptions::default());
    let outcomes = deal(&bench, vec![(Signal::Metrics, 600 << 10); 20]);
    assert_eq!(outcomes.len(), 20);
    bench.workers.join().expect("no panic");
    let workers: Vec<_> = bench.runs.iter().map(|(worker, _)| worker).collect();
    assert!(
        workers.iter().all(|worker| *worker == workers[0]),
        "{workers:?}"
    );
}

/// Hand-overs race with workers that fall asleep and end; no request may be forgotten.
#[test]
fn every_request_is_answered_however_workers_sleep_and_wake() {
    for _ in 0..50 {
        let bench = start(3, None, WorkerOptions::default());
        for count in [1, 9, 30] {
            let outcomes = deal(&bench, vec![(Signal::Traces, 340 << 10); count]);
            assert_eq!(outcomes.iter().flatten().count(), count);
        }
        bench.workers.join().expect("no panic");
        assert_eq!(bench.dropped.load(Ordering::SeqCst), 3);
    }
}

#[test]
fn connections_are_dealt_to_the_least_loaded_worker() {
    let bench = start(2, None, WorkerOptions::default());
    let dealer = bench.workers.dealer();
    let (sender, seen) = mpsc::sync_channel(1024);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    for _ in 0..4 {
        let sender = sender.clone();
        let dealt = dealer.deal(Box::new(move |worker| {
            Box::pin(async move {
                let _ = sender.send(worker.index());
                let _ = worker.drain().wait_for(|draining| *draining).await;
            })
        }));
        assert!(runtime.block_on(dealt));
    }
    let mut workers: Vec<_> = (0..4).map(|_| seen.recv().expect("dealt")).collect();
    workers.sort_unstable();
    assert_eq!(workers, [0, 0, 1, 1]);
    bench.workers.join().expect("no panic");
    let refused = dealer.deal(Box::new(|_| Box::pin(async {})));
    assert!(!runtime.block_on(refused), "no worker is left");
}

#[test]
fn stubborn_connection_is_dropped_after_the_drain_wait() {
    let options = WorkerOptions {
        pin: true,
        drain_wait_max: Duration::from_millis(20),
    };
    let bench = start(1, None, options);
    let dealer = bench.workers.dealer();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let dealt = dealer.deal(Box::new(|_| Box::pin(std::future::pending())));
    assert!(runtime.block_on(dealt));
    bench.workers.join().expect("no panic");
}

#[test]
fn station_that_panics_ends_its_worker_and_is_told() {
    struct Broken;
    impl Station for Broken {
        fn run(&mut self, _: &mut Vec<Request>) {
            panic!("a broken station, on purpose");
        }
    }
    let build: BuildStation = Box::new(|| Box::new(Broken));
    let bench = Bench {
        workers: Workers::start(vec![build], WorkerOptions::default()).expect("threads"),
        runs: mpsc::sync_channel(1024).1,
        dropped: Arc::default(),
    };
    let outcomes = deal(&bench, vec![(Signal::Traces, 1)]);
    assert!(outcomes.iter().all(Option::is_none), "{outcomes:?}");
    let error = bench.workers.join().expect_err("it panicked");
    assert_eq!(error.to_string(), "1 workers ended by a panic");
}
