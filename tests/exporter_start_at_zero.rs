//! What Prometheus is given the first time it sees a series, over real sockets where the end of a
//! response matters.

mod exporter_support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use exporter_support::{
    Harness, OPEN_METRICS, Pairs, TEXT, Table, block_on, options, pairs, snapshot, span_metrics,
};
use spanmill::exporters::prometheus::options::PrometheusOptions;
use spanmill::exporters::prometheus::{ScrapersSeen, Source};
use spanmill::store::window::Layout;
use spanmill::workers::web::{WebLimits, serve};
use tokio::net::TcpListener;
use tokio::sync::watch;

const T: u64 = 1_700_000_000_000;
const LAYOUT: Layout = Layout::Histogram { buckets: 2 };
const PROMETHEUS: &str = "Prometheus/2.42.0";

fn harness(options: PrometheusOptions, compat: bool) -> Harness {
    let source = Source {
        table: 0,
        stream: span_metrics(&[10.0]),
    };
    Harness::new(options, compat, vec![source])
}

/// Lines without their labels but `le`.
fn bare(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (name, rest) = line.split_once('{').unwrap();
            let (labels, number) = rest.rsplit_once("} ").unwrap();
            let le = labels.rsplit_once(",le=").map_or("", |(_, le)| le);
            let name = name.trim_start_matches("traces_span_metrics_");
            format!("{name}{le} {number}")
        })
        .collect()
}

fn one_cell() -> [Table; 1] {
    let mut tables = [Table::new(LAYOUT)];
    let words = vec![25_500_000, 0, 1, 2];
    tables[0].born(
        &pairs(&[("service.name", "shop")]),
        &Pairs::new(),
        words,
        T - 3000,
    );
    tables
}

#[test]
fn first_complete_scrape_has_zero_and_value_with_times_and_later_ones_plain_lines() {
    let harness = harness(options(), false);
    harness.show(snapshot(T, 5, &mut one_cell()));
    let with_zeros = |zero: &str, value: &str| {
        [
            format!("calls_total 0 {zero}"),
            format!("calls_total 3 {value}"),
            format!("duration_milliseconds_bucket\"10\" 0 {zero}"),
            format!("duration_milliseconds_bucket\"+Inf\" 0 {zero}"),
            format!("duration_milliseconds_sum 0 {zero}"),
            format!("duration_milliseconds_count 0 {zero}"),
            format!("duration_milliseconds_bucket\"10\" 1 {value}"),
            format!("duration_milliseconds_bucket\"+Inf\" 3 {value}"),
            format!("duration_milliseconds_sum 25.5 {value}"),
            format!("duration_milliseconds_count 3 {value}"),
        ]
    };
    let cut = harness.scrape(TEXT, PROMETHEUS, false);
    assert_eq!(bare(&cut), with_zeros("1699999996999", "1700000000000"));
    harness.show(snapshot(T + 5000, 5, &mut one_cell()));
    let complete = harness.scrape(TEXT, PROMETHEUS, true);
    assert_eq!(
        bare(&complete),
        with_zeros("1700000000001", "1700000005000")
    );
    let plain = bare(&harness.scrape(TEXT, PROMETHEUS, true));
    assert_eq!(
        plain[..2],
        ["calls_total 3", "duration_milliseconds_bucket\"10\" 1"]
    );
    assert_eq!(plain.len(), 5);
}

#[test]
fn open_metrics_groups_the_zeros_of_a_series_too() {
    let harness = harness(options(), false);
    harness.show(snapshot(T, 5, &mut one_cell()));
    let lines = bare(&harness.scrape(OPEN_METRICS, PROMETHEUS, true));
    assert_eq!(
        lines[..4],
        [
            "calls_total 0.0 1699999996.999",
            "calls_total 3.0 1700000000.000",
            "duration_milliseconds_bucket\"10.0\" 0 1699999996.999",
            "duration_milliseconds_bucket\"+Inf\" 0 1699999996.999",
        ]
    );
    assert_eq!(lines[4], "duration_milliseconds_sum 0.0 1699999996.999");
}

#[test]
fn others_the_switch_and_the_gate_get_plain_values() {
    let mut off = options();
    off.start_at_zero = false;
    let mut timed = options();
    timed.send_timestamps = true;
    for (options, compat, agent, end) in [
        (options(), false, "vm_promscrape", ""),
        (options(), false, "curl/8 Prometheus/2", ""),
        (off, false, PROMETHEUS, ""),
        (options(), true, PROMETHEUS, ""),
        (timed, true, PROMETHEUS, " 1700000000000"),
    ] {
        let harness = harness(options, compat);
        harness.show(snapshot(T, 5, &mut one_cell()));
        let lines = bare(&harness.scrape(TEXT, agent, true));
        assert_eq!(lines.len(), 5, "{agent}");
        assert_eq!(lines[0], format!("calls_total 3{end}"));
    }
}

#[test]
fn series_that_expired_and_came_back_starts_above_its_last_sample() {
    let harness = harness(options(), false);
    let mut tables = one_cell();
    harness.show(snapshot(T, 5, &mut tables));
    harness.scrape(TEXT, PROMETHEUS, true);
    tables[0].expire(0);
    let words = vec![0, 0, 7, 0];
    // Its run began before the last fold.
    tables[0].born(
        &pairs(&[("service.name", "shop")]),
        &Pairs::new(),
        words,
        T - 5,
    );
    harness.show(snapshot(T + 9, 5, &mut tables));
    let lines = bare(&harness.scrape(TEXT, PROMETHEUS, true));
    assert_eq!(
        lines[..2],
        ["calls_total 0 1700000000001", "calls_total 7 1700000000009"]
    );
}

#[test]
fn cell_that_joins_a_series_that_was_shown_makes_no_new_zero() {
    let harness = harness(options(), false);
    let mut tables = one_cell();
    harness.show(snapshot(T, 5, &mut tables));
    harness.scrape(TEXT, PROMETHEUS, true);
    let resource = pairs(&[("service.name", "shop"), ("host.name", "h")]);
    tables[0].born(&resource, &Pairs::new(), vec![0, 0, 7, 0], T + 1);
    harness.show(snapshot(T + 9, 5, &mut tables));
    let lines = bare(&harness.scrape(TEXT, PROMETHEUS, true));
    assert_eq!(lines[0], "calls_total 10");
}

#[test]
fn series_of_several_cells_starts_before_the_earliest() {
    let harness = harness(options(), false);
    let mut tables = one_cell();
    for (host, birth_ms) in [("a", T - 7000), ("b", T - 1000)] {
        let resource = pairs(&[("service.name", "shop"), ("host.name", host)]);
        tables[0].born(&resource, &Pairs::new(), vec![0, 0, 1, 0], birth_ms);
    }
    harness.show(snapshot(T, 5, &mut tables));
    let lines = bare(&harness.scrape(TEXT, PROMETHEUS, true));
    assert_eq!(
        lines[..2],
        ["calls_total 0 1699999992999", "calls_total 5 1700000000000"]
    );
}

/// Serves the harness on a socket of its own thread.
fn on_a_socket(harness: &Harness) -> (SocketAddr, watch::Sender<bool>) {
    let handler = harness.exporter.handler();
    let (stop, stopped) = watch::channel(false);
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            serve(listener, handler, WebLimits::default(), stopped).await;
        });
    });
    (told.recv().unwrap(), stop)
}

fn get(address: SocketAddr, query: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let request = format!(
        "GET /metrics{query} HTTP/1.1\r\nhost: x\r\nuser-agent: {PROMETHEUS}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

fn zeros(mut stream: TcpStream) -> usize {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.lines()
        .filter(|line| line.starts_with("traces_span_metrics_calls_total") && line.contains("} 0 "))
        .count()
}

#[test]
fn scrape_that_is_cut_in_the_middle_leaves_the_zeros_for_the_next() {
    let harness = harness(options(), false);
    let mut tables = [Table::new(LAYOUT)];
    // More than the buffers of a socket hold.
    let wide = "x".repeat(2000);
    for index in 0..2000_u64 {
        let key = pairs(&[("k", &format!("{wide}{index}"))]);
        tables[0].born(&Pairs::new(), &key, vec![0, 0, 1, 0], T);
    }
    harness.show(snapshot(T, 5, &mut tables));
    let (address, stop) = on_a_socket(&harness);
    for query in ["", "?job=2"] {
        let mut cut = get(address, query);
        cut.read_exact(&mut vec![0; 100_000]).unwrap();
        drop(cut);
        assert_eq!(zeros(get(address, query)), 2000, "{query}");
        assert_eq!(zeros(get(address, query)), 0, "{query}");
    }
    assert_eq!(
        harness.exporter.scrapers_seen(T),
        ScrapersSeen {
            active: 2,
            settled: 2
        }
    );
    stop.send(true).unwrap();
}
