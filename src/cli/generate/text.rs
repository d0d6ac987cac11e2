//! What `spanmill generate` says to people: the live line and the summary.

use std::time::Duration;

use crate::generate::latencies::Latencies;
use crate::generate::verify::Verdict;
use crate::generate::{Finished, Share, Tally};

/// One line about the last second, and the run so far.
pub(super) fn live_line(elapsed: Duration, spans_per_second: f64, tally: &Tally) -> String {
    let mut parts = vec![
        format!("{:>4}s", elapsed.as_secs()),
        format!("{:>11} spans/s", rounded(spans_per_second)),
        format!("acknowledged {}", grouped(tally.acknowledged.spans)),
    ];
    for (code, share) in &tally.refused {
        parts.push(format!("refused ({code}) {}", grouped(share.spans)));
    }
    for (name, share) in rare(tally) {
        parts.push(format!("{name} {}", grouped(share.spans)));
    }
    if tally.latencies_recent.count() > 0 {
        parts.push(format!("ack {}", percentiles(&tally.latencies_recent)));
    }
    parts.join("  ")
}

/// The whole run, a line for each fact.
pub(super) fn summary(finished: &Finished, verdict: Option<&Verdict>) -> String {
    let tally = &finished.tally;
    let seconds = finished.elapsed.as_secs_f64();
    let line = |name: &str, fact: String| format!("{name:<13} {fact}");
    let mut lines = vec![
        line("sent", format!("{} in {seconds:.2} s", spans(tally.sent()))),
        line("acknowledged", {
            let rate = tally.acknowledged.spans as f64 / seconds;
            format!("{}, {} spans/s", spans(tally.acknowledged), rounded(rate))
        }),
    ];
    for (code, share) in &tally.refused {
        lines.push(line("refused", format!("{} with {code}", spans(*share))));
    }
    for (name, share) in rare(tally) {
        lines.push(line(name, spans(share)));
    }
    lines.push(line("latency", percentiles(&tally.latencies)));
    lines.push(line("bodies", {
        let rate = rounded(tally.body_bytes as f64 / seconds);
        format!("{} bytes, {rate} bytes/s", grouped(tally.body_bytes))
    }));
    lines.push(line("generator", {
        let cpu = finished.cpu.as_secs_f64();
        let per_span = cpu * 1e9 / tally.sent().spans.max(1) as f64;
        let limit = if finished.is_generator_limit() {
            "; the generator was the limit"
        } else {
            ""
        };
        format!("{cpu:.2} s of processor time, {per_span:.0} ns a span{limit}")
    }));
    if let Some(verdict) = verdict {
        let mut of_verdict = verdict.lines().into_iter();
        lines.extend(of_verdict.next().map(|outcome| line("verify", outcome)));
        lines.extend(of_verdict);
    }
    lines.join("\n") + "\n"
}

/// What a good run has none of.
fn rare(tally: &Tally) -> impl Iterator<Item = (&'static str, Share)> {
    [("unanswered", tally.unanswered), ("unsent", tally.unsent)]
        .into_iter()
        .filter(|(_, share)| share.requests > 0)
}

fn spans(share: Share) -> String {
    format!(
        "{} spans in {} requests",
        grouped(share.spans),
        grouped(share.requests)
    )
}

fn percentiles(latencies: &Latencies) -> String {
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    format!(
        "p50 {:.2} p99 {:.2} p99.9 {:.2} max {:.2} ms",
        ms(latencies.percentile(0.5)),
        ms(latencies.percentile(0.99)),
        ms(latencies.percentile(0.999)),
        ms(latencies.max())
    )
}

/// A rate, which is not negative, without its fraction.
fn rounded(rate: f64) -> String {
    grouped(rate.round() as u64)
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn live_line_tells_what_went_wrong_only_when_it_did() {
        let mut tally = Tally::default();
        tally.acknowledged.spans = 12_000;
        let line = live_line(Duration::from_secs(3), 4_000.4, &tally);
        assert_eq!(line, "   3s        4,000 spans/s  acknowledged 12,000");
        let share = Share {
            requests: 1,
            spans: 512,
        };
        tally.unanswered = share;
        tally
            .refused
            .insert(crate::generate::Refusal::Http(503), share);
        let line = live_line(Duration::from_secs(3), 0.0, &tally);
        assert!(
            line.ends_with("  refused (http 503) 512  unanswered 512"),
            "{line}"
        );
    }
}
