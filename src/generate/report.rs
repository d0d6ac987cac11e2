//! A finished run as JSON, for machines; `docs/generate.md` names every field.
//!
//! Times in seconds, latencies in milliseconds, processor time of an item in nanoseconds.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::capture::CaptureSummary;
use super::client::Refusal;
use super::latencies::Latencies;
use super::options::RunOptions;
use super::run::Finished;
use super::schedule::Timing;
use super::tally::{MalformedTally, Share, SignalTally};
use super::verify::Verdict;

/// The whole run. `command` is what started it.
#[must_use]
pub fn json(finished: &Finished, verdict: Option<&Verdict>, command: &[String]) -> Value {
    let tally = &finished.tally;
    let seconds = finished.elapsed.as_secs_f64();
    let signals = tally.used().map(|(signal, tally)| {
        let mut of_signal = of_signal(tally, seconds);
        let item = match finished.options.replay {
            None => signal.items(),
            Some(_) => "requests",
        };
        of_signal["item"] = item.into();
        (signal.name().to_owned(), of_signal)
    });
    json!({
        "command": command,
        "options": options(finished),
        "elapsed_seconds": seconds,
        "sent": share(tally.sent()),
        "acknowledged": share(tally.acknowledged()),
        "refused": by_code(&tally.refused()),
        "unanswered": share(tally.unanswered()),
        "unsent": share(tally.unsent()),
        "missed_requests": finished.missed,
        "items_per_second": tally.acknowledged().items as f64 / seconds,
        "body_bytes": tally.body_bytes(),
        "body_bytes_per_second": tally.body_bytes() as f64 / seconds,
        "acknowledgement_ms": latencies(&tally.latencies()),
        "signals": signals.collect::<Map<_, _>>(),
        "item_totals": finished.item_totals,
        "malformed": malformed(&tally.malformed),
        "generator": generator(finished),
        "capture": finished.capture.as_ref().map(capture),
        "verify": verdict.map(Verdict::json),
    })
}

fn options(finished: &Finished) -> Value {
    let options: &RunOptions = &finished.options;
    let pace = &options.pace;
    let timing = match &pace.timing {
        Timing::Closed => "closed".to_owned(),
        Timing::Profile(profile) => profile.to_string(),
        Timing::AsCaptured(_) => "as captured".to_owned(),
    };
    json!({
        "endpoint": options.target.to_string(),
        "protocol": options.protocol.name(),
        "compression": options.compression.name(),
        "profile": timing,
        "duration_seconds": pace.duration.map(|duration| duration.as_secs_f64()),
        "count": pace.items,
        "threads": finished.efforts.len(),
        "connections": options.connections,
        "in_flight": options.in_flight,
        "items_per_request": options.items_per_request,
        "prepared_requests": finished.prepared,
        "malformed_share": options.malformed_share,
        "scenario": options.load.description,
        "seed": options.seed(),
        "replayed_requests": options.replay.as_ref().map(|replay| replay.len()),
    })
}

fn of_signal(tally: &SignalTally, seconds: f64) -> Value {
    json!({
        "sent": share(tally.sent()),
        "acknowledged": share(tally.acknowledged),
        "refused": by_code(&tally.refused),
        "unanswered": share(tally.unanswered),
        "unsent": share(tally.unsent),
        "items_per_second": tally.acknowledged.items as f64 / seconds,
        "body_bytes": tally.body_bytes,
        "acknowledgement_ms": latencies(&tally.latencies),
    })
}

fn malformed(tally: &MalformedTally) -> Value {
    let mut refused = Map::new();
    for ((defect, code), count) in &tally.refused {
        let of_defect = refused.entry(defect.name()).or_insert_with(|| json!({}));
        of_defect[code.to_string()] = (*count).into();
    }
    let accepted = tally.accepted.iter();
    let accepted = accepted.map(|(defect, count)| (defect.name().to_owned(), (*count).into()));
    json!({
        "sent": tally.sent(),
        "refused": tally.refused(),
        "refused_by_defect": refused,
        "wrongly_refused": tally.wrongly_refused(),
        "wrongly_accepted": tally.wrongly_accepted(),
        "accepted_by_defect": accepted.collect::<Map<_, Value>>(),
        "unanswered": tally.unanswered,
        "unsent": tally.unsent,
        "body_bytes": tally.body_bytes,
    })
}

fn generator(finished: &Finished) -> Value {
    let items = finished.tally.sent().items.max(1) as f64;
    let in_line = finished.efforts.iter().map(|effort| effort.in_line);
    let limit = finished.limit();
    json!({
        "threads_cpu_seconds": finished.cpu().as_secs_f64(),
        "threads_cpu_ns_per_item": finished.cpu().as_secs_f64() * 1e9 / items,
        "process_cpu_seconds": finished.process_cpu.as_secs_f64(),
        "process_cpu_ns_per_item": finished.process_cpu.as_secs_f64() * 1e9 / items,
        "threads_in_line_seconds": in_line.sum::<Duration>().as_secs_f64(),
        "overslept_requests": finished.tally.overslept,
        "is_limit": limit.is_some(),
        "limit": limit.map(|limit| limit.to_string()),
    })
}

fn capture(ended: &Result<CaptureSummary, super::GenerateError>) -> Value {
    match ended {
        Ok(summary) => json!({
            "requests": summary.requests,
            "bytes": summary.bytes,
            "left_out": summary.left_out,
        }),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

fn by_code(refused: &BTreeMap<Refusal, Share>) -> Value {
    let entries = refused
        .iter()
        .map(|(code, of)| (code.to_string(), share(*of)));
    Value::Object(entries.collect())
}

fn share(share: Share) -> Value {
    json!({ "requests": share.requests, "items": share.items })
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

#[cfg(test)]
mod tests;
