//! Totals equal a naive count of the same spans.

use super::super::coding::{Compression, Protocol};
use super::super::load::{EVENT_KINDS, Load};
use super::super::random::Random;
use super::super::scenario::LoadOptions;
use super::super::source::Source;
use super::*;

const BOUNDS_NS: [u64; 4] = [1_000_000, 5_000_000, 20_000_000, 1_000_000_000];

fn options() -> LoadOptions {
    LoadOptions {
        services: 2,
        users: 3,
        spans_per_request: 25,
        error_share: 0.2,
        event_share: 0.3,
        ..LoadOptions::default()
    }
}

/// Counts one shape the obvious way.
fn naive(observations: &[Observation], shape: Shape) -> ShapeTotals {
    let of_shape: Vec<_> = observations
        .iter()
        .filter(|seen| seen.shape == shape)
        .collect();
    let below = |bound: u64| {
        of_shape
            .iter()
            .filter(|seen| seen.duration_ns <= bound)
            .count() as u64
    };
    let mut cumulative: Vec<u64> = BOUNDS_NS.map(below).to_vec();
    cumulative.push(of_shape.len() as u64);
    let buckets = (0..cumulative.len())
        .map(|index| cumulative[index] - if index == 0 { 0 } else { cumulative[index - 1] })
        .collect();
    ShapeTotals {
        calls: of_shape.len() as u64,
        buckets,
        sum_ns: of_shape
            .iter()
            .map(|seen| u128::from(seen.duration_ns))
            .sum(),
        events: std::array::from_fn::<u64, EVENT_KINDS, _>(|kind| {
            of_shape
                .iter()
                .map(|seen| u64::from(seen.events[kind]))
                .sum()
        }),
    }
}

fn check(totals: &Totals, observations: &[Observation]) {
    assert_eq!(totals.calls(), observations.len() as u64);
    for (shape, got) in totals.shapes() {
        assert_eq!(*got, naive(observations, *shape), "{shape:?}");
    }
}

#[test]
fn added_spans_equal_the_naive_count() {
    let load = Load::new(options());
    let mut random = Random::new(5);
    let mut observations: Vec<_> = (0..5_000).map(|_| load.draw(0, 0, &mut random)).collect();
    // Exactly on a bound, and the extremes.
    for duration_ns in [0, 1_000_000, 1_000_001, 1_000_000_000, u64::MAX] {
        observations.push(Observation {
            duration_ns,
            ..observations[0]
        });
    }
    let mut totals = Totals::new(BOUNDS_NS.into());
    for observation in &observations {
        totals.add(observation, 1);
    }
    check(&totals, &observations);
}

#[test]
fn prepared_requests_count_as_often_as_they_were_sent() {
    let mut source = Source::of_load(options(), Protocol::Http, Compression::None);
    let deck = Deck::prepare(&mut source, 3, usize::MAX);
    let mut ledger = Ledger::new(&BOUNDS_NS.into(), deck.len());
    let (mut acknowledged, mut uncertain) = (Vec::new(), Vec::new());
    // Requests 0, 1, 2, 0, 1, 2, 0, 1 whole, then a smaller one that is no prepared one.
    for number in 0..9 {
        let spans = if number == 8 { 7 } else { 25 };
        let outgoing = source.request(&deck, number, spans);
        let is_acknowledged = number % 4 != 1;
        ledger.book(&outgoing.content, is_acknowledged);
        let observations = match outgoing.content {
            Content::Prepared(index) => deck.observations(index).to_vec(),
            Content::Fresh(observations) => observations,
            other => panic!("not of spans: {other:?}"),
        };
        assert_eq!(observations.len(), spans as usize);
        if is_acknowledged {
            acknowledged.extend(observations);
        } else {
            uncertain.extend(observations);
        }
    }
    let mut sent = Sent::new(&BOUNDS_NS.into());
    ledger.close(&deck, &mut sent);
    check(&sent.acknowledged, &acknowledged);
    check(&sent.uncertain, &uncertain);
    assert_eq!(sent.uncertain.calls(), 50);
}

#[test]
fn deck_stops_at_its_bytes() {
    let mut source = Source::of_load(options(), Protocol::Grpc, Compression::None);
    assert_eq!(Deck::prepare(&mut source, 100, 1).len(), 1);
    let deck = Deck::prepare(&mut source, 100, 200_000);
    assert!((2..20).contains(&deck.len()), "{}", deck.len());
}
