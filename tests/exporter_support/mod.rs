//! Snapshots made by hand, and scrapes of them without a socket.
//!
//! An identity is written as length-prefixed pairs: what a connector would write is its own
//! business, the exporter only sees what `describe` makes of it.

#![allow(dead_code, reason = "each test uses a part")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use http::{HeaderMap, HeaderValue, Request};
use http_body_util::BodyExt;
use spanmill::exporters::prometheus::options::PrometheusOptions;
use spanmill::exporters::prometheus::{PrometheusExporter, PrometheusParts, Source};
use spanmill::naming::stream::{Attribute, SeriesIdentity, Stream, StreamMetric, StreamValue};
use spanmill::store::snapshot::{CHUNK_CELLS, CellState, Chunk, Identity, Snapshot, TableSnapshot};
use spanmill::store::window::Layout;
use spanmill::telemetry::counters::Registry;
use spanmill::telemetry::log::{Encoding, Level, Logger};
use spanmill::workers::web::Delivery;

pub const TEXT: &str = "text/plain;version=0.0.4";
pub const OPEN_METRICS: &str = "application/openmetrics-text;version=1.0.0";

/// Key and value.
pub type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

pub fn pairs(written: &[(&str, &str)]) -> Pairs {
    written
        .iter()
        .map(|(key, text)| (key.as_bytes().to_vec(), text.as_bytes().to_vec()))
        .collect()
}

/// All cells of one table. Chunks that did not change stay the same allocation, as in the store.
pub struct Table {
    layout: Layout,
    cells: Vec<CellState>,
    rows: Vec<Vec<u64>>,
    shared: Vec<Option<Arc<[CellState]>>>,
    generation: u32,
    free: Vec<usize>,
}

impl Table {
    pub fn new(layout: Layout) -> Self {
        Self {
            layout,
            cells: Vec::new(),
            rows: Vec::new(),
            shared: Vec::new(),
            generation: 0,
            free: Vec::new(),
        }
    }

    /// A cell, in the place that became free last.
    pub fn born(&mut self, resource: &Pairs, key: &Pairs, words: Vec<u64>, birth_ms: u64) -> usize {
        assert_eq!(words.len(), self.layout.words());
        self.generation += 1;
        let cell = CellState {
            identity: Some(Arc::new(Identity {
                hash: 0,
                resource_hash: 0,
                resource: encode(resource).into(),
                key: encode(key).into(),
            })),
            generation: self.generation,
            birth_ms,
            birth_flush: 0,
        };
        let at = self.free.pop().unwrap_or(self.cells.len());
        if at == self.cells.len() {
            self.cells.push(cell);
            self.rows.push(words);
        } else {
            self.cells[at] = cell;
            self.rows[at] = words;
        }
        self.touch(at);
        at
    }

    pub fn set(&mut self, cell: usize, words: Vec<u64>) {
        self.rows[cell] = words;
    }

    pub fn expire(&mut self, cell: usize) {
        let generation = self.cells[cell].generation;
        self.cells[cell] = CellState {
            generation,
            ..CellState::default()
        };
        self.free.push(cell);
        self.touch(cell);
    }

    pub fn first_flush(&mut self, cell: usize, flush: u64) {
        self.cells[cell].birth_flush = flush;
        self.touch(cell);
    }

    fn touch(&mut self, cell: usize) {
        self.shared
            .resize(self.cells.len().div_ceil(CHUNK_CELLS), None);
        self.shared[cell / CHUNK_CELLS] = None;
    }

    fn snapshot(&mut self) -> TableSnapshot {
        let words = self.layout.words();
        let chunks = (0..self.shared.len())
            .map(|index| {
                let range = index * CHUNK_CELLS..((index + 1) * CHUNK_CELLS).min(self.cells.len());
                let mut rows: Vec<u64> = self.rows[range.clone()].concat();
                rows.resize(CHUNK_CELLS * words, 0);
                let cells = &self.cells[range];
                let shared = self.shared[index].get_or_insert_with(|| {
                    let mut cells = cells.to_vec();
                    cells.resize(CHUNK_CELLS, CellState::default());
                    cells.into()
                });
                Chunk {
                    rows: rows.into(),
                    cells: Arc::clone(shared),
                }
            })
            .collect();
        TableSnapshot {
            layout: self.layout,
            chunks,
        }
    }
}

pub fn snapshot(time_ms: u64, flush: u64, tables: &mut [Table]) -> Snapshot {
    Snapshot {
        time_ms,
        flush,
        tables: tables.iter_mut().map(Table::snapshot).collect(),
    }
}

fn encode(pairs: &Pairs) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in pairs.iter().flat_map(|(key, text)| [key, text]) {
        bytes.extend_from_slice(&u32::try_from(part.len()).expect("short").to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

fn decode(mut bytes: &[u8]) -> Vec<Attribute> {
    let mut part = || {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (part, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        bytes = rest;
        Some(part.to_vec())
    };
    std::iter::from_fn(|| {
        Some(Attribute {
            key: part()?,
            text: part()?,
        })
    })
    .collect()
}

pub fn stream(metrics: Vec<StreamMetric>) -> Stream {
    Stream {
        scope_name: "spanmetricsconnector",
        metrics,
        describe: Arc::new(|resource, key| SeriesIdentity {
            resource: decode(resource),
            attributes: decode(key),
        }),
    }
}

pub fn count(name: &str) -> StreamMetric {
    StreamMetric {
        name: name.to_owned(),
        unit: "",
        description: "",
        value: StreamValue::Count,
    }
}

pub fn histogram_ms(name: &str, bounds: &[f64]) -> StreamMetric {
    StreamMetric {
        name: name.to_owned(),
        unit: "ms",
        description: "",
        value: StreamValue::Histogram {
            bounds: bounds.to_vec(),
            nanos_per_unit: 1e6,
        },
    }
}

/// Calls and duration of one table, as the connector puts them out.
pub fn span_metrics(bounds: &[f64]) -> Stream {
    stream(vec![
        count("traces.span.metrics.calls"),
        histogram_ms("traces.span.metrics.duration", bounds),
    ])
}

pub fn options() -> PrometheusOptions {
    PrometheusOptions {
        endpoint: "127.0.0.1:0".to_owned(),
        namespace: String::new(),
        const_labels: Vec::new(),
        send_timestamps: false,
        metric_expiration: std::time::Duration::from_mins(5),
        enable_open_metrics: true,
        add_metric_suffixes: true,
        resource_to_telemetry_conversion: false,
        response_headers: Vec::new(),
        start_at_zero: true,
    }
}

/// An exporter over snapshots that the test sets.
pub struct Harness {
    pub exporter: PrometheusExporter,
    pub registry: Arc<Registry>,
    pub log: Arc<Mutex<Vec<u8>>>,
    next: Arc<Mutex<Snapshot>>,
}

impl Harness {
    pub fn new(options: PrometheusOptions, compat: bool, sources: Vec<Source>) -> Self {
        let next = Arc::new(Mutex::new(Snapshot {
            time_ms: 0,
            flush: 0,
            tables: Vec::new(),
        }));
        let given = Arc::clone(&next);
        let log = Arc::new(Mutex::new(Vec::new()));
        let logger = Logger::new(
            Box::new(Log(Arc::clone(&log))),
            Level::Debug,
            Encoding::Console,
        );
        let registry = Arc::new(Registry::new(1));
        let parts = PrometheusParts {
            options,
            collector_compat: compat,
            sources,
            snapshots: Arc::new(move || {
                let snapshot = given.lock().unwrap().clone();
                Box::pin(async move { snapshot })
            }),
            id: "prometheus".to_owned(),
        };
        Self {
            exporter: PrometheusExporter::new(parts, &registry, logger).unwrap(),
            registry,
            log,
            next,
        }
    }

    pub fn show(&self, snapshot: Snapshot) {
        *self.next.lock().unwrap() = snapshot;
    }

    /// The value of one of our own counters, all labels added.
    pub fn counted(&self, name: &str, label: &str) -> f64 {
        let mut total = 0.0;
        self.registry.for_each(|series| {
            if series.name == name && series.labels.iter().any(|(_, value)| value == label) {
                total += (series.read)();
            }
        });
        total
    }

    /// The text that a client gets, complete or cut.
    pub fn scrape(&self, accept: &str, agent: &str, complete: bool) -> String {
        let bytes = self.bytes(&[("accept", accept), ("user-agent", agent)], complete);
        String::from_utf8(bytes).unwrap()
    }

    pub fn text(&self) -> String {
        self.scrape(TEXT, "test", true)
    }

    pub fn bytes(&self, headers: &[(&'static str, &str)], complete: bool) -> Vec<u8> {
        let mut request = Request::get("/metrics").body(()).unwrap();
        *request.headers_mut() = headers
            .iter()
            .map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect::<HeaderMap>();
        block_on(async {
            let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
            let mut answer = (self.exporter.handler())(request, peer).await;
            let body = answer.response.into_body().collect().await.unwrap();
            if complete && let Some(receipt) = &mut answer.receipt {
                receipt(Delivery::Written);
            }
            body.to_bytes().to_vec()
        })
    }
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
