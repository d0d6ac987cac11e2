//! One worker's path as `config/guide-scrape.yaml` describes it, and a request through it.
//!
//! Shared by the benches: compiled as the program compiles it, without sockets and threads.

use bytes::Bytes;
use spanmill::config::Source;
use spanmill::pipeline::lane::Lane;
use spanmill::pipeline::settings;
use spanmill::workers::budget::Budget;
use spanmill::workers::request::Reply;
use spanmill::workers::{Outcome, Request, Signal};

const GUIDE: &str = include_str!("../../config/guide-scrape.yaml");

pub fn lane() -> Lane {
    let source = Source::new("guide-scrape.yaml", GUIDE);
    let settings = settings::load(&source, &|_| None, "", false)
        .unwrap_or_else(|report| panic!("{}", report.render()));
    Lane::new(&settings)
}

/// One request to its answer.
#[inline(never)]
pub fn turn(lane: &mut Lane, budget: &Budget, ready: &mut Vec<Request>, body: &Bytes) -> Outcome {
    let (reply, mut outcome) = Reply::channel();
    ready.push(Request {
        receiver: 0,
        signal: Signal::Traces,
        body: body.clone(),
        permit: budget.try_take(body.len() as u64).expect("room"),
        reply,
    });
    lane.station.run(ready);
    outcome.try_recv().expect("a run answers its requests")
}
