//! What `spanmill generate` says to people: the live line and the summary.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::generate::latencies::Latencies;
use crate::generate::verify::Verdict;
use crate::generate::{Finished, MalformedTally, Refusal, Share, Tally};

/// What the live line is drawn from the difference of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moment {
    elapsed: Duration,
    items: u64,
    body_bytes: u64,
}

impl Moment {
    pub(super) fn of(elapsed: Duration, tally: &Tally) -> Self {
        Self {
            elapsed,
            items: tally.acknowledged().items,
            body_bytes: tally.body_bytes(),
        }
    }
}

/// One line about the time since `before`, and the run so far.
pub(super) fn live_line(before: Moment, now: Moment, tally: &Tally, is_replay: bool) -> String {
    let seconds = now.elapsed.saturating_sub(before.elapsed);
    let seconds = seconds.as_secs_f64().max(1e-9);
    let per_second = |now: u64, before: u64| (now - before) as f64 / seconds;
    let mut parts = vec![
        format!("{:>4}s", now.elapsed.as_secs()),
        format!(
            "{:>11} {}/s",
            rounded(per_second(now.items, before.items)),
            item(tally, is_replay)
        ),
        format!(
            "{:>7.1} MB/s",
            per_second(now.body_bytes, before.body_bytes) / 1e6
        ),
    ];
    for (signal, of_signal) in tally.used() {
        let items = grouped(of_signal.acknowledged.items);
        parts.push(if tally.used().count() > 1 {
            let of_signal = if is_replay {
                signal.name()
            } else {
                signal.items()
            };
            format!("{items} {of_signal}")
        } else {
            format!("acknowledged {items}")
        });
    }
    for (code, share) in &tally.refused() {
        parts.push(format!("refused ({code}) {}", grouped(share.items)));
    }
    for (name, share) in rare(tally) {
        parts.push(format!("{name} {}", grouped(share.items)));
    }
    let malformed = &tally.malformed;
    if malformed.sent() > 0 {
        let (refused, accepted) = (malformed.refused(), malformed.wrongly_accepted());
        parts.push(format!("malformed refused {}", grouped(refused)));
        if accepted > 0 {
            parts.push(format!("ACCEPTED {}", grouped(accepted)));
        }
    }
    if tally.latencies_recent.count() > 0 {
        parts.push(format!("ack {}", percentiles(&tally.latencies_recent)));
    }
    parts.join("  ")
}

/// What a replay counts: nobody knows what is in its requests.
const REPLAYED: &str = "requests";

/// What the items of a run are called.
fn item(tally: &Tally, is_replay: bool) -> &'static str {
    if is_replay {
        return REPLAYED;
    }
    let mut used = tally.used();
    match (used.next(), used.next()) {
        (Some((signal, _)), None) => signal.items(),
        (None, _) => "spans",
        _ => "items",
    }
}

/// The whole run, a line for each fact.
pub(super) fn summary(finished: &Finished, verdict: Option<&Verdict>) -> String {
    let tally = &finished.tally;
    let seconds = finished.elapsed.as_secs_f64();
    let line = |name: &str, fact: String| format!("{name:<13} {fact}");
    let is_replay = finished.options.replay.is_some();
    let item = item(tally, is_replay);
    let share = |share| share_of(share, item);
    let mut lines = vec![
        line("sent", format!("{} in {seconds:.2} s", share(tally.sent()))),
        line("acknowledged", {
            let rate = tally.acknowledged().items as f64 / seconds;
            format!(
                "{}, {} {item}/s",
                share(tally.acknowledged()),
                rounded(rate)
            )
        }),
    ];
    if tally.used().count() > 1 {
        for (signal, of_signal) in tally.used() {
            let item = if is_replay { REPLAYED } else { signal.items() };
            let acknowledged = share_of(of_signal.acknowledged, item);
            let latency = percentiles(&of_signal.latencies);
            lines.push(line(
                &format!("  {signal}"),
                format!("{acknowledged}, {latency}"),
            ));
        }
    }
    for (code, refused) in &tally.refused() {
        lines.push(line("refused", format!("{} with {code}", share(*refused))));
    }
    for (name, rare) in rare(tally) {
        lines.push(line(name, share(rare)));
    }
    if finished.missed > 0 {
        let missed = grouped(finished.missed);
        lines.push(line(
            "missed",
            format!("{missed} requests were due, but no lane was free"),
        ));
    }
    lines.extend(malformed(&tally.malformed).map(|fact| line("malformed", fact)));
    lines.push(line("latency", percentiles(&tally.latencies())));
    lines.push(line("bodies", {
        let rate = rounded(tally.body_bytes() as f64 / seconds);
        format!("{} bytes, {rate} bytes/s", grouped(tally.body_bytes()))
    }));
    lines.push(line("generator", {
        let per_item = |cpu: f64| cpu * 1e9 / tally.sent().items.max(1) as f64;
        let (cpu, process) = (finished.cpu(), finished.process_cpu);
        let (cpu, process) = (cpu.as_secs_f64(), process.as_secs_f64());
        let each = match item {
            "items" => "an item".to_owned(),
            item => format!("a {}", item.trim_end_matches('s')),
        };
        format!(
            "{process:.2} s of processor time, {:.0} ns {each}, {:.0} ns of them sending",
            per_item(process),
            per_item(cpu)
        )
    }));
    if let Some(limit) = finished.limit() {
        lines.push(line("limit", format!("THE GENERATOR: {limit}")));
    }
    if let Some(Ok(capture)) = &finished.capture {
        let left_out = match capture.left_out {
            0 => String::new(),
            count => format!(", {} left out", grouped(count)),
        };
        let (requests, bytes) = (grouped(capture.requests), grouped(capture.bytes));
        lines.push(line(
            "captured",
            format!("{requests} requests, {bytes} bytes{left_out}"),
        ));
    }
    if let Some(verdict) = verdict {
        let mut of_verdict = verdict.lines(grouped).into_iter();
        lines.extend(of_verdict.next().map(|outcome| line("verify", outcome)));
        lines.extend(of_verdict);
    }
    lines.join("\n") + "\n"
}

/// What became of the requests that were broken on purpose, if there were any.
fn malformed(tally: &MalformedTally) -> Option<String> {
    if tally.sent() + tally.unsent == 0 {
        return None;
    }
    let mut by_code = BTreeMap::<Refusal, u64>::new();
    for ((_, code), count) in &tally.refused {
        *by_code.entry(*code).or_default() += count;
    }
    let codes: Vec<String> = by_code
        .iter()
        .map(|(code, count)| format!("{code}: {}", grouped(*count)))
        .collect();
    let codes = match codes[..] {
        [] => String::new(),
        _ => format!(" ({})", codes.join(", ")),
    };
    let mut parts = vec![
        format!("{} requests", grouped(tally.sent())),
        format!("{} refused{codes}", grouped(tally.refused())),
    ];
    for (defect, count) in &tally.accepted {
        parts.push(format!("{} WRONGLY ACCEPTED ({defect})", grouped(*count)));
    }
    if tally.wrongly_refused() > 0 {
        let unfit = grouped(tally.wrongly_refused());
        parts.push(format!("{unfit} with an unfit code"));
    }
    if tally.unanswered > 0 {
        parts.push(format!("{} unanswered", grouped(tally.unanswered)));
    }
    Some(parts.join(", "))
}

/// What a good run has none of.
fn rare(tally: &Tally) -> impl Iterator<Item = (&'static str, Share)> {
    [
        ("unanswered", tally.unanswered()),
        ("unsent", tally.unsent()),
    ]
    .into_iter()
    .filter(|(_, share)| share.requests > 0)
}

fn share_of(share: Share, item: &str) -> String {
    if item == REPLAYED {
        return format!("{} {item}", grouped(share.requests));
    }
    format!(
        "{} {item} in {} requests",
        grouped(share.items),
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
    use crate::generate::Defect;

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

    fn moment(seconds: u64, items: u64, body_bytes: u64) -> Moment {
        Moment {
            elapsed: Duration::from_secs(seconds),
            items,
            body_bytes,
        }
    }

    #[test]
    fn live_line_tells_what_went_wrong_only_when_it_did() {
        let (before, now) = (moment(1, 4_000, 10), moment(3, 12_000, 5_000_010));
        let mut tally = Tally::default();
        let traces = &mut tally.signals[0];
        traces.acknowledged = Share {
            requests: 24,
            items: 12_000,
        };
        let line = live_line(before, now, &tally, false);
        assert_eq!(
            line,
            "   3s        4,000 spans/s      2.5 MB/s  acknowledged 12,000"
        );
        let share = Share {
            requests: 1,
            items: 512,
        };
        let traces = &mut tally.signals[0];
        traces.unanswered = share;
        traces.refused.insert(Refusal::Http(503), share);
        tally.malformed.accepted.insert(Defect::Truncated, 2);
        let line = live_line(before, now, &tally, false);
        let ending = "  refused (http 503) 512  unanswered 512  malformed refused 0  ACCEPTED 2";
        assert!(line.ends_with(ending), "{line}");
    }

    #[test]
    fn signals_are_told_apart_when_there_are_several() {
        let mut tally = Tally::default();
        for (signal, of_signal) in tally.signals.iter_mut().enumerate() {
            of_signal.acknowledged = Share {
                requests: 1,
                items: 100 + signal as u64,
            };
        }
        let line = live_line(moment(0, 0, 0), moment(1, 303, 0), &tally, false);
        assert_eq!(
            line,
            "   1s          303 items/s      0.0 MB/s  100 spans  101 points  102 records"
        );
    }

    #[test]
    fn malformed_requests_are_told_by_code() {
        let mut tally = MalformedTally::default();
        assert_eq!(malformed(&tally), None);
        tally.refused = BTreeMap::from([
            ((Defect::Truncated, Refusal::Http(400)), 3),
            ((Defect::NoGzip, Refusal::Http(400)), 1_000),
            ((Defect::NoGzip, Refusal::Http(500)), 1),
        ]);
        tally.accepted.insert(Defect::ContentType, 2);
        assert_eq!(
            malformed(&tally).expect("some were sent"),
            "1,006 requests, 1,004 refused (http 400: 1,003, http 500: 1), \
             2 WRONGLY ACCEPTED (content_type), 1 with an unfit code"
        );
    }
}
