//! Whole runs over real sockets against a tiny target, and what the verifier says of them.

mod generate_target;

use std::time::Duration;

use generate_target::{Answer, TestTarget};
use spanmill::generate::scenario::builtin;
use spanmill::generate::verify::{Expectation, Verdict, Verifier};
use spanmill::generate::{
    Compression, Finished, LoadOptions, Pace, Protocol, Refusal, RunOptions, Target, report, start,
};

/// The target settles at once; this bounds a failing test only.
const SETTLE_MAX: Duration = Duration::from_secs(20);

fn options(target: &TestTarget, protocol: Protocol) -> RunOptions {
    let address = match protocol {
        Protocol::Grpc => target.grpc,
        Protocol::Http | Protocol::HttpJson => target.http,
    };
    RunOptions {
        protocol,
        pace: Pace::closed(None, Some(2_030)),
        threads: 2,
        connections: 3,
        answer_timeout: SETTLE_MAX,
        items_per_request: 50,
        load: LoadOptions {
            users: 5,
            resources: 2,
            error_share: 0.2,
            event_share: 0.3,
            ..LoadOptions::default()
        }
        .into(),
        ..RunOptions::new(Target::parse(&address.to_string(), 0).expect("an address"))
    }
}

/// Runs and verifies, with `settle_max` for the target to show everything.
async fn verified(
    target: &TestTarget,
    mut options: RunOptions,
    expectation: Expectation,
    settle_max: Duration,
) -> (Finished, Verdict) {
    let url = Target::parse(&target.http.to_string(), 0).expect("an address");
    let verifier = Verifier::begin(url, vec![expectation])
        .await
        .expect("a scrape");
    options.totals = Some(verifier.bounds_ns());
    let mut running = start(options).expect("threads");
    let load = std::sync::Arc::clone(&running.load);
    running.ended().await;
    let finished = running.finish();
    let sent = finished.sent.as_ref().expect("totals were asked for");
    let verdict = verifier
        .settle(&load, sent, settle_max)
        .await
        .expect("a scrape");
    (finished, verdict)
}

async fn passes(target: &TestTarget, options: RunOptions) -> Finished {
    let (finished, verdict) = verified(target, options, Expectation::default(), SETTLE_MAX).await;
    assert!(
        verdict.passed(),
        "{:#?}",
        verdict.lines(|number| number.to_string())
    );
    assert!(verdict.label_sets > 50, "{}", verdict.label_sets);
    finished
}

#[tokio::test]
async fn every_transport_is_counted_exactly() {
    for protocol in [Protocol::Grpc, Protocol::Http] {
        for compression in [Compression::None, Compression::Gzip] {
            let target = TestTarget::start(|_| Answer::Count).await;
            let mut options = options(&target, protocol);
            options.compression = compression;
            let finished = passes(&target, options).await;
            assert_eq!(finished.tally.acknowledged().items, 2_030);
            assert_eq!(finished.tally.acknowledged().requests, 41);
            assert_eq!(target.spans(), 2_030);
        }
    }
}

#[tokio::test]
async fn every_built_in_scenario_is_counted_exactly() {
    for (name, _) in builtin::ALL {
        for protocol in [Protocol::Grpc, Protocol::Http] {
            let target = TestTarget::start(|_| Answer::Count).await;
            let load = builtin::scenario(name).expect("built in");
            let options = RunOptions {
                items_per_request: load.spans_per_request,
                load,
                ..options(&target, protocol)
            };
            let (_, verdict) = verified(&target, options, Expectation::default(), SETTLE_MAX).await;
            assert!(verdict.passed(), "{name}: {verdict:#?}");
            assert_eq!(target.spans(), 2_030, "{name}");
        }
    }
}

#[tokio::test]
async fn prepared_requests_and_many_in_flight_are_counted_exactly() {
    let target = TestTarget::start(|_| Answer::Count).await;
    let mut options = options(&target, Protocol::Grpc);
    options.prepared = 7;
    options.in_flight = 4;
    passes(&target, options).await;
    assert_eq!(target.spans(), 2_030);
}

#[tokio::test]
async fn second_run_on_the_same_target_is_verified_by_difference() {
    let target = TestTarget::start(|_| Answer::Count).await;
    passes(&target, options(&target, Protocol::Http)).await;
    let mut again = options(&target, Protocol::Http);
    again.load.seed = 2;
    passes(&target, again).await;
    assert_eq!(target.spans(), 4_060);
}

#[tokio::test]
async fn open_loop_sends_what_was_due() {
    let target = TestTarget::start(|_| Answer::Count).await;
    let mut options = options(&target, Protocol::Grpc);
    options.pace = Pace::steady(20_000.0, None, Some(2_030));
    let finished = passes(&target, options).await;
    // The last of 41 requests is due after 100 ms.
    assert!(finished.elapsed >= Duration::from_millis(100));
    assert_eq!(finished.tally.latencies().count(), 41);
}

#[tokio::test]
async fn refused_requests_are_told_by_code_and_never_sent_again() {
    for (protocol, code) in [
        (Protocol::Grpc, Refusal::Grpc(14)),
        (Protocol::Http, Refusal::Http(503)),
    ] {
        let target = TestTarget::start(|n| {
            if n % 4 == 3 {
                Answer::Refuse
            } else {
                Answer::Count
            }
        })
        .await;
        let finished = passes(&target, options(&target, protocol)).await;
        let refused = finished.tally.refused()[&code];
        assert_eq!(refused.requests, 10);
        assert_eq!(finished.tally.acknowledged().requests, 31);
        assert_eq!(target.spans() as u64, finished.tally.acknowledged().items);
    }
}

#[tokio::test]
async fn unanswered_requests_make_an_interval_that_holds_what_was_counted() {
    for protocol in [Protocol::Grpc, Protocol::Http] {
        let target = TestTarget::start(|n| match n {
            5 | 9 => Answer::CountAndBreak,
            _ => Answer::Count,
        })
        .await;
        let finished = passes(&target, options(&target, protocol)).await;
        assert_eq!(finished.tally.unanswered().requests, 2);
        assert_eq!(finished.tally.acknowledged().requests, 39);
        assert_eq!(target.spans(), 2_030);
    }
}

#[tokio::test]
async fn answer_that_does_not_come_in_time_is_none() {
    for protocol in [Protocol::Grpc, Protocol::Http] {
        let target = TestTarget::start(|_| Answer::CountAndHang).await;
        let mut options = options(&target, protocol);
        options.answer_timeout = Duration::from_millis(20);
        options.pace.items = Some(50);
        let mut running = start(options).expect("threads");
        running.ended().await;
        assert_eq!(running.finish().tally.unanswered().items, 50);
    }
}

#[tokio::test]
async fn spans_of_another_sender_are_found() {
    let target = TestTarget::start(|_| Answer::Count).await;
    let mut other = options(&target, Protocol::Http);
    other.pace.items = Some(50);
    let url = Target::parse(&target.http.to_string(), 0).expect("an address");
    let verifier = Verifier::begin(url, vec![Expectation::default()])
        .await
        .expect("a scrape");
    let mut alone = start(other).expect("threads");
    alone.ended().await;
    drop(alone.finish());

    let mut own = options(&target, Protocol::Grpc);
    own.totals = Some(verifier.bounds_ns());
    let mut running = start(own).expect("threads");
    let load = std::sync::Arc::clone(&running.load);
    running.ended().await;
    let finished = running.finish();
    let sent = finished.sent.as_ref().expect("totals were asked for");
    let verdict = verifier
        .settle(&load, sent, Duration::ZERO)
        .await
        .expect("a scrape");
    assert!(!verdict.differences.is_empty());
    let json = report::json(&finished, Some(&verdict), &[]);
    assert_eq!(json["verify"]["passed"], false);
    assert_eq!(json["acknowledged"]["items"], 2_030);
}

#[tokio::test]
async fn wrong_expectation_fails() {
    let target = TestTarget::start(|_| Answer::Count).await;
    let mut expectation = Expectation::default();
    expectation.dimensions.pop();
    let options = options(&target, Protocol::Http);
    let (_, verdict) = verified(&target, options, expectation, Duration::ZERO).await;
    assert!(!verdict.differences.is_empty());
}

#[tokio::test]
async fn target_that_is_gone_leaves_everything_unsent() {
    let target = TestTarget::start(|_| Answer::Count).await;
    let mut options = options(&target, Protocol::Http);
    // Nobody listens on the discard port of this address.
    options.target = Target::parse("127.0.0.1:9", 0).expect("an address");
    options.pace.items = Some(100);
    let mut running = start(options).expect("threads");
    running.ended().await;
    let finished = running.finish();
    assert_eq!(finished.tally.unsent().items, 100);
    assert_eq!(finished.tally.sent().items, 0);
}

#[tokio::test]
async fn target_that_does_not_answer_a_connection_holds_nobody_up() {
    let target = TestTarget::start(|_| Answer::Count).await;
    // Nothing is accepted here, so further connections wait for ever once the backlog is full.
    let deaf = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let deaf = deaf.expect("a socket");
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    deaf.bind(&any.into()).expect("loopback");
    deaf.listen(0).expect("a socket");
    let address = deaf.local_addr().expect("bound").as_socket();
    let address = address.expect("of IPv4");
    let mut backlog = Vec::new();
    let patience = Duration::from_millis(200);
    while let Ok(stream) =
        tokio::time::timeout(patience, tokio::net::TcpStream::connect(address)).await
    {
        backlog.push(stream.expect("a listener"));
        assert!(backlog.len() < 50, "the backlog is bounded");
    }
    let mut options = options(&target, Protocol::Grpc);
    options.target = Target::parse(&address.to_string(), 0).expect("an address");
    options.threads = 1;
    options.in_flight = 5;
    // Far more than the test may take.
    options.answer_timeout = Duration::from_hours(1);
    options.pace = Pace::closed(Some(Duration::from_millis(50)), None);
    let mut running = start(options.clone()).expect("threads");
    running.ended().await;
    let tally = running.finish().tally;
    // The lanes of each of three connections gave up together.
    assert_eq!(tally.unsent().requests, 15);

    options.pace = Pace::closed(None, None);
    let mut running = start(options).expect("threads");
    running.stop();
    running.ended().await;
    assert_eq!(running.finish().tally.sent().requests, 0);
}

#[tokio::test]
async fn stopped_run_ends_and_still_adds_up() {
    let target = TestTarget::start(|_| Answer::Count).await;
    let mut options = options(&target, Protocol::Grpc);
    options.pace = Pace::steady(5_000.0, None, None);
    let mut running = start(options).expect("threads");
    while running.tally().acknowledged().requests < 3 {
        tokio::task::yield_now().await;
    }
    running.stop();
    running.ended().await;
    let finished = running.finish();
    assert_eq!(finished.tally.acknowledged().items, target.spans() as u64);
}
