//! A request is of the signal of its path, and holds what its content says, prepared or not.

use super::*;
use crate::generate::scenario::{LoadOptions, Scenario, logs, metrics};
use crate::generate::{Mix, Target};

const ITEMS: u32 = 10;

/// Of all signals, as JSON, so that a body tells its signal.
fn source(weights: [u32; 3], malformed_share: f64) -> Source {
    let load = Scenario {
        metrics: metrics::built_in(),
        logs: logs::built_in(),
        ..LoadOptions::default().into()
    };
    let options = RunOptions {
        protocol: Protocol::HttpJson,
        items_per_request: ITEMS,
        mix: Mix::new(weights, 3).expect("weights"),
        malformed_share,
        load,
        ..RunOptions::new(Target::parse("localhost", 1).expect("an address"))
    };
    let worlds = Worlds::new(&options).expect("all signals are sent");
    Source::new(&Arc::new(options), &worlds).expect("an address")
}

fn deck(source: &mut Source, prepared: usize) -> Deck {
    match prepared {
        0 => Deck::default(),
        prepared => Deck::prepare(source, prepared, usize::MAX),
    }
}

#[test]
fn body_is_of_the_signal_of_its_path_whole_or_short_or_broken() {
    for prepared in [0, 1, 5, 64] {
        let mut source = source([2, 1, 1], 0.3);
        let deck = deck(&mut source, prepared);
        for number in 0..300 {
            let items = if number % 7 == 0 { 3 } else { ITEMS };
            let outgoing = source.request(&deck, number, items);
            let list = match outgoing.head.path.as_str() {
                "/v1/traces" => "resourceSpans",
                "/v1/metrics" => "resourceMetrics",
                "/v1/logs" => "resourceLogs",
                other => panic!("no such path: {other}"),
            };
            // Nothing is left of the body of that defect.
            if outgoing.plan.defect != Some(Defect::NoGzip) {
                let begin = format!("{{\"{list}\":");
                let text = String::from_utf8_lossy(&outgoing.body);
                assert!(text.starts_with(&begin), "{number} of {prepared}: {text}");
            }
        }
    }
}

#[test]
fn weights_hold_in_each_round_whatever_is_prepared() {
    for prepared in [0, 1, 7, 64] {
        let mut source = source([99, 0, 1], 0.0);
        let deck = deck(&mut source, prepared);
        for round in 0..3 {
            let mut logs = 0;
            for number in round * 100..(round + 1) * 100 {
                let outgoing = source.request(&deck, number, ITEMS);
                logs += u32::from(outgoing.head.path == "/v1/logs");
                let is_prepared = matches!(outgoing.content, Content::Prepared(_));
                assert_eq!(is_prepared, prepared > 0);
            }
            assert_eq!(logs, 1, "round {round} with {prepared} prepared");
        }
    }
}

#[test]
fn prepared_content_is_that_of_the_body() {
    let mut source = source([2, 1, 1], 0.0);
    let deck = deck(&mut source, 8);
    assert_eq!(deck.len(), 8);
    for number in 0..40 {
        let outgoing = source.request(&deck, number, ITEMS);
        let Content::Prepared(index) = outgoing.content else {
            panic!("a whole request is prepared");
        };
        let signal = match deck.content(index) {
            Content::Fresh(observations) => {
                assert_eq!(observations.len(), ITEMS as usize);
                Signal::Traces
            }
            Content::Metrics(_) => Signal::Metrics,
            Content::Logs(_) => Signal::Logs,
            other => panic!("not counted: {other:?}"),
        };
        assert_eq!(signal, outgoing.plan.signal);
    }
}
