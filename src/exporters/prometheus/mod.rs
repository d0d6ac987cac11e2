//! `exporters.prometheus`: snapshot in, text 0.0.4 and `OpenMetrics` 1.0 over HTTP out.
//!
//! | file | purpose |
//! |---|---|
//! | `options` | what the user wrote, settled |
//! | `plan` | the streams' families: names, headers, bucket lines; settled when the pipeline is built |
//! | `labels` | a series' identity becomes the text between its braces, once, at its birth |
//! | `label_text` | that text, kept as what it does not share with others |
//! | `rows` | the series of a view and their order |
//! | `targets` | `target_info` |
//! | `view` | cells become series, many to one |
//! | `render` | lines of text |
//! | `body` | lines become a body: plain or gzip, piece by piece |
//! | `gzip` | text becomes a gzip stream, made for lines that repeat each other |
//! | `negotiate` | which format a scraper gets |
//! | `start_at_zero` | which series a scraper has seen |
//! | `scrape` | one request and its answer |
//! | `counters` | what is counted and said |
//!
//! Deliberately absent: any work per sample but the number, protobuf, names beyond the legacy set.

mod body;
mod counters;
mod gzip;
mod label_text;
mod labels;
mod negotiate;
pub mod options;
mod plan;
mod render;
mod rows;
mod scrape;
mod start_at_zero;
mod targets;
mod view;

use std::pin::Pin;
use std::sync::Arc;

use http::header::{HeaderName, HeaderValue};
use thiserror::Error;
use tokio::sync::Mutex;

pub use self::plan::Source;
pub use self::start_at_zero::ScrapersSeen;

use self::counters::Counters;
use self::labels::LabelRules;
use self::options::PrometheusOptions;
use self::plan::Plan;
use self::start_at_zero::Scrapers;
use self::view::View;
use crate::store::snapshot::Snapshot;
use crate::telemetry::counters::Registry;
use crate::telemetry::log::Logger;
use crate::workers::web::Handler;

/// Gives the snapshot that a scrape shows: of a fold made now, or with `collectorCompat` the last
/// flush. Times must not go back from one call to the next.
pub type Snapshots = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Snapshot> + Send>> + Send + Sync>;

/// What one exporter is made from.
pub struct PrometheusParts {
    pub options: PrometheusOptions,
    /// The gate `spanmill.collectorCompat`.
    pub collector_compat: bool,
    /// Tables that reach this exporter.
    pub sources: Vec<Source>,
    pub snapshots: Snapshots,
    /// The exporter's id, for counters and log lines.
    pub id: String,
}

/// Why an exporter cannot be built.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PrometheusError {
    #[error("response header {name:?} cannot be sent")]
    ResponseHeader { name: String },
}

/// The scrape endpoint of one `prometheus` exporter. Cheap to clone.
#[derive(Clone)]
pub struct PrometheusExporter {
    inner: Arc<Inner>,
}

struct Inner {
    headers: Vec<(HeaderName, HeaderValue)>,
    options: PrometheusOptions,
    compat: bool,
    snapshots: Snapshots,
    view: Mutex<View>,
    scrapers: Scrapers,
    counters: Arc<Counters>,
}

impl PrometheusExporter {
    pub fn new(
        parts: PrometheusParts,
        registry: &Registry,
        logger: Logger,
    ) -> Result<Self, PrometheusError> {
        let PrometheusParts {
            options,
            collector_compat: compat,
            sources,
            snapshots,
            id,
        } = parts;
        let headers = scrape::response_headers(&options.response_headers)
            .map_err(|name| PrometheusError::ResponseHeader { name })?;
        let counters = Arc::new(Counters::new(registry, logger, &id));
        let (plan, conflicts) = Plan::new(&options, sources);
        for conflict in &conflicts {
            counters.conflict(conflict);
        }
        let rules = LabelRules::new(&options, compat);
        Ok(Self {
            inner: Arc::new(Inner {
                headers,
                options,
                compat,
                snapshots,
                view: Mutex::new(View::new(Arc::new(plan), rules, Arc::clone(&counters))),
                scrapers: Scrapers::new(),
                counters,
            }),
        })
    }

    /// Answers scrapes; for [`crate::workers::web::serve`].
    #[must_use]
    pub fn handler(&self) -> Handler {
        let inner = Arc::clone(&self.inner);
        Arc::new(move |request, peer| Box::pin(scrape::answer(Arc::clone(&inner), request, peer)))
    }

    /// For a drain: how many scrapers came lately, and how many of them have got everything up to
    /// the fold at `time_ms`.
    #[must_use]
    pub fn scrapers_seen(&self, time_ms: u64) -> ScrapersSeen {
        self.inner.scrapers.seen(time_ms)
    }
}
