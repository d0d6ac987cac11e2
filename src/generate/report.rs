//! A finished run as JSON, for machines. Times in seconds, latencies in milliseconds.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::latencies::Latencies;
use super::run::Finished;
use super::tally::Share;
use super::verify::Verdict;

#[must_use]
pub fn json(finished: &Finished, verdict: Option<&Verdict>) -> Value {
    let tally = &finished.tally;
    let seconds = finished.elapsed.as_secs_f64();
    let refused: Map<String, Value> = tally
        .refused
        .iter()
        .map(|(code, of)| (code.to_string(), share(*of)))
        .collect();
    json!({
        "elapsed_seconds": seconds,
        "sent": share(tally.sent()),
        "acknowledged": share(tally.acknowledged),
        "refused": refused,
        "unanswered": share(tally.unanswered),
        "unsent": share(tally.unsent),
        "body_bytes": tally.body_bytes,
        "spans_per_second": tally.acknowledged.spans as f64 / seconds,
        "acknowledgement_ms": latencies(&tally.latencies),
        "generator": {
            "threads": finished.threads,
            "cpu_seconds": finished.cpu.as_secs_f64(),
            "is_limit": finished.is_generator_limit(),
        },
        "verify": verdict.map(Verdict::json),
    })
}

fn share(share: Share) -> Value {
    json!({ "requests": share.requests, "spans": share.spans })
}

fn latencies(latencies: &Latencies) -> Value {
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    json!({
        "p50": ms(latencies.percentile(0.5)),
        "p99": ms(latencies.percentile(0.99)),
        "p99.9": ms(latencies.percentile(0.999)),
        "max": ms(latencies.max()),
    })
}
