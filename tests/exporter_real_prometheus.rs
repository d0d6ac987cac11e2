//! A real Prometheus stores every increment, the first ones too: two jobs on one address, one scraper
//! behind a proxy that cuts every other response, births all the time, an expiry and a re-birth.
//!
//! Needs a `prometheus` on the path (or named by `PROMETHEUS`) and about 40 seconds:
//! `cargo test --test exporter_real_prometheus -- --ignored`.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "counts of a test are small and exact"
)]

mod exporter_support;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use exporter_support::{Table, block_on, options, pairs, snapshot, span_metrics};
use spanmill::exporters::prometheus::{PrometheusExporter, PrometheusParts, Source};
use spanmill::store::window::Layout;
use spanmill::telemetry::counters::Registry;
use spanmill::telemetry::log::{Encoding, Level, Logger};
use spanmill::workers::web::{WebLimits, serve};
use tokio::sync::watch;

const TRAFFIC: Duration = Duration::from_secs(24);
const SERIES_MAX: usize = 40;
/// Expires and comes back.
const PHOENIX: usize = 0;

/// The store, and what was put into it.
struct World {
    tables: [Table; 1],
    cells: Vec<Option<(usize, [u64; 2])>>,
    sent: Vec<[u64; 2]>,
}

impl World {
    fn add(&mut self, series: usize, bucket: usize, count: u64) {
        if self.cells.len() <= series {
            self.cells.resize(series + 1, None);
            self.sent.resize(series + 1, [0; 2]);
        }
        let key = pairs(&[("k", &format!("{series:03}"))]);
        let (cell, counts) = self.cells[series].get_or_insert_with(|| {
            let words = vec![0; 4];
            let resource = pairs(&[("service.name", "shop")]);
            (
                self.tables[0].born(&resource, &key, words, now_ms()),
                [0; 2],
            )
        });
        counts[bucket] += count;
        self.sent[series][bucket] += count;
        self.tables[0].set(*cell, vec![0, 0, counts[0], counts[1]]);
    }

    fn expire(&mut self, series: usize) {
        if let Some((cell, _)) = self.cells[series].take() {
            self.tables[0].expire(cell);
        }
    }
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(now.unwrap().as_millis()).unwrap()
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "needs a prometheus and 40 seconds; tests/run calls it"]
fn every_increment_is_stored_by_every_scraper() {
    let world = Arc::new(Mutex::new(World {
        tables: [Table::new(Layout::Histogram { buckets: 2 })],
        cells: Vec::new(),
        sent: Vec::new(),
    }));
    let (address, _stop) = exporter(&world);
    let cutting = cutting_proxy(address);
    let folder = tempfile::tempdir().unwrap();
    let api = free_port();
    let job = |name: &str, target: SocketAddr, interval: &str, query: &str| {
        format!(
            "- {{job_name: {name}, scrape_interval: {interval}, scrape_timeout: 1s, \
             params: {{q: ['{query}']}}, static_configs: [{{targets: ['{target}']}}]}}\n"
        )
    };
    let config = folder.path().join("prometheus.yml");
    let jobs = [
        job("one", address, "2s", "1"),
        job("two", address, "3s", "2"),
        job("cut", cutting, "1s", "3"),
    ];
    std::fs::write(&config, format!("scrape_configs:\n{}", jobs.concat())).unwrap();
    let program = std::env::var("PROMETHEUS").unwrap_or_else(|_| "prometheus".to_owned());
    let _prometheus = Killed(
        Command::new(program)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={api}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a prometheus"),
    );
    // Some series are there before anybody comes.
    drive(&world);
    let settled = Instant::now() + Duration::from_secs(30);
    let sent = world.lock().unwrap().sent.clone();
    loop {
        let problems: Vec<String> = ["one", "two", "cut"]
            .iter()
            .flat_map(|job| differences(api, job, &sent))
            .collect();
        if problems.is_empty() {
            break;
        }
        assert!(Instant::now() < settled, "{problems:#?}");
        thread::sleep(Duration::from_millis(500));
    }
    for counter in ["duplicate_timestamp", "out_of_order", "out_of_bounds"] {
        let name = format!("prometheus_target_scrapes_sample_{counter}_total");
        let text = http(api, "/metrics");
        let line = text.lines().find(|line| line.starts_with(&name)).unwrap();
        assert!(line.ends_with(" 0"), "{line}");
    }
}

/// Traffic to old series and new ones, with an expiry in the middle.
fn drive(world: &Mutex<World>) {
    let start = Instant::now();
    let mut round = 0;
    while start.elapsed() < TRAFFIC {
        round += 1;
        let mut world = world.lock().unwrap();
        let newest =
            (start.elapsed().as_millis() as usize * SERIES_MAX) / TRAFFIC.as_millis() as usize;
        for series in [newest, round * 7 % (newest + 1)] {
            // Quiet first, so that everybody has seen its last value, as any expiry has it.
            let seconds = start.elapsed().as_secs();
            if series == PHOENIX && (4..14).contains(&seconds) {
                if seconds >= 9 {
                    world.expire(PHOENIX);
                }
            } else {
                world.add(series, round % 2, (round % 5) as u64 + 1);
            }
        }
        if (14..16).contains(&start.elapsed().as_secs()) {
            world.add(PHOENIX, 0, 1);
        }
        drop(world);
        thread::sleep(Duration::from_millis(40));
    }
}

/// Metric, bound, and what of the spans sent it counts.
type Expected = (&'static str, &'static str, fn(&[u64; 2]) -> u64);

/// Where the stored increases of a job differ from what was sent.
fn differences(api: SocketAddr, job: &str, sent: &[[u64; 2]]) -> Vec<String> {
    let mut problems = Vec::new();
    let expected: [Expected; 5] = [
        ("calls_total", "", |sent| sent[0] + sent[1]),
        ("duration_milliseconds_count", "", |sent| sent[0] + sent[1]),
        ("duration_milliseconds_bucket", "10.0", |sent| sent[0]),
        ("duration_milliseconds_bucket", "+Inf", |sent| {
            sent[0] + sent[1]
        }),
        ("duration_milliseconds_sum", "", |_| 0),
    ];
    for (name, le, of) in expected {
        // Prometheus normalises bounds when it parses.
        let le = le.trim_end_matches(".0");
        let stored = increases(api, name, le, job);
        for (series, sent) in sent.iter().enumerate() {
            let stored = stored.get(&format!("{series:03}")).copied();
            let expected = of(sent) as f64;
            if stored.is_none_or(|stored| (stored - expected).abs() > 0.1) {
                problems.push(format!(
                    "{job} {name} {le} {series}: {stored:?}, sent {expected}"
                ));
            }
        }
    }
    problems
}

/// By the label `k`: the first sample and all increases after it.
fn increases(api: SocketAddr, name: &str, le: &str, job: &str) -> BTreeMap<String, f64> {
    let le = match le {
        "" => String::new(),
        le => format!(
            "%2Cle%3D~%22{}(%5C%5C.0)%3F%22",
            le.replace('+', "%5C%5C%2B")
        ),
    };
    let query = format!("traces_span_metrics_{name}%7Bjob%3D%22{job}%22{le}%7D%5B5m%5D");
    let answer = http(api, &format!("/api/v1/query?query={query}"));
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap_or_default();
    let mut increases = BTreeMap::new();
    for series in answer["data"]["result"].as_array().into_iter().flatten() {
        let mut last = 0.0;
        let mut total = 0.0;
        for sample in series["values"].as_array().unwrap() {
            let value: f64 = sample[1].as_str().unwrap().parse().unwrap();
            total += if value < last { value } else { value - last };
            if last == 0.0 && total == value && total > 0.0 && sample == &series["values"][0] {
                // A series must not begin with a value.
                total = f64::NAN;
            }
            last = value;
        }
        let k = series["metric"]["k"].as_str().unwrap().to_owned();
        increases.insert(k, total);
    }
    increases
}

fn exporter(world: &Arc<Mutex<World>>) -> (SocketAddr, watch::Sender<bool>) {
    let given = Arc::clone(world);
    let logger = Logger::new(Box::new(std::io::sink()), Level::Error, Encoding::Console);
    let parts = PrometheusParts {
        options: options(),
        collector_compat: false,
        sources: vec![Source {
            table: 0,
            stream: span_metrics(&[10.0]),
        }],
        snapshots: Arc::new(move || {
            let snapshot = snapshot(now_ms(), 0, &mut given.lock().unwrap().tables);
            Box::pin(async move { snapshot })
        }),
        id: "prometheus".to_owned(),
    };
    let exporter = PrometheusExporter::new(parts, &Registry::new(1), logger).unwrap();
    let (stop, stopped) = watch::channel(false);
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    thread::spawn(move || {
        block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            serve(listener, exporter.handler(), WebLimits::default(), stopped).await;
        });
    });
    (told.recv().unwrap(), stop)
}

/// Passes every other response on to its end; of the rest, a part, and both sides are closed.
fn cutting_proxy(target: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for (index, client) in listener.incoming().enumerate() {
            let (mut client, mut server) = (client.unwrap(), TcpStream::connect(target).unwrap());
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if client.read(&mut byte).unwrap_or(0) == 0 {
                    break;
                }
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let head = head.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
            let _ = server.write_all(head.as_bytes());
            if index % 2 == 0 {
                // Closing with bytes unread: the server learns of it.
                let mut part = [0; 200];
                let count = server.read(&mut part).unwrap_or(0);
                let _ = client.write_all(&part[..count / 2]);
            } else {
                let mut all = Vec::new();
                let _ = server.read_to_end(&mut all);
                let _ = client.write_all(&all);
            }
        }
    });
    address
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

/// The body of a GET, empty when nobody answers.
fn http(address: SocketAddr, path: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return String::new();
    };
    let request = format!("GET {path} HTTP/1.0\r\nhost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    text.split_once("\r\n\r\n")
        .map_or(String::new(), |(_, body)| body.to_owned())
}
