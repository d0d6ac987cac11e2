//! The report of one run, whole: programs read it.

use std::sync::Arc;

use super::*;
use crate::generate::limit::Effort;
use crate::generate::{Compression, Defect, Mix, Pace, Protocol, Tally, Target};

fn tally() -> Tally {
    let mut tally = Tally::default();
    let share = |requests, items| Share { requests, items };
    tally.signals[0].acknowledged = share(100, 51_200);
    tally.signals[0].refused = BTreeMap::from([
        (Refusal::Http(503), share(3, 1_536)),
        (Refusal::Partial, share(1, 512)),
    ]);
    tally.signals[0].body_bytes = 9_000_000;
    tally.signals[0].latencies.add(Duration::from_millis(2));
    tally.signals[1].unanswered = share(2, 1_024);
    tally.signals[1].unsent = share(1, 512);
    tally.malformed.refused = BTreeMap::from([
        ((Defect::Truncated, Refusal::Http(400)), 3),
        ((Defect::Truncated, Refusal::Http(500)), 1),
        ((Defect::ContentType, Refusal::Http(415)), 2),
    ]);
    tally.malformed.accepted.insert(Defect::NoGzip, 1);
    tally.overslept = 7;
    tally
}

#[test]
fn report_has_the_documented_form() {
    let options = RunOptions {
        protocol: Protocol::HttpJson,
        compression: Compression::Zstd,
        pace: Pace::steady(5_000.0, Some(Duration::from_secs(10)), None),
        mix: Mix::new([3, 1, 0], 1).expect("weights"),
        malformed_share: 0.1,
        ..RunOptions::new(Target::parse("http://127.0.0.1:4318/base", 0).expect("an address"))
    };
    let finished = Finished {
        options: Arc::new(options),
        tally: tally(),
        sent: None,
        item_totals: None,
        elapsed: Duration::from_secs(10),
        efforts: vec![Effort {
            cpu: Duration::from_millis(9_500),
            in_line: Duration::from_millis(100),
        }],
        process_cpu: Duration::from_millis(9_700),
        missed: 4,
        prepared: 0,
        capture: Some(Ok(CaptureSummary {
            requests: 113,
            bytes: 9_100_000,
            left_out: 0,
        })),
    };
    let command = ["spanmill", "generate"].map(str::to_owned);
    insta::assert_snapshot!(format!("{:#}", json(&finished, None, &command)));
}
