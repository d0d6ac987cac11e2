//! Whether a target shows exactly what it was sent.
//!
//! | file | purpose |
//! |---|---|
//! | `expectation` | what one way through the target's configuration makes of spans |
//! | `resource` | what its `resource` processors make of resources |
//! | `labels` | label sets and metric names, worked out anew, not by `naming` |
//! | `fetch` | one GET, whose answer comes in pieces |
//! | `exposition` | a strict reader of text 0.0.4 and `OpenMetrics` |
//! | `api` | the values as a Prometheus in between shows them |
//! | `reading` | which of the two it is; one reading |
//! | `observed` | the span metrics of one reading |
//! | `compare` | what was sent against what is shown |
//! | `difference` | what is wrong, by kind |
//! | `report` | the verdict for people and machines |
//!
//! The target is read before the run and again after it until everything is there or the settle
//! time is over: a target may show its values at a flush. Differences of the two readings are
//! compared, so a target that has run for long can be verified, too, if nobody else sends.
//!
//! Exponential histograms have no buckets in text and native ones are not asked for: neither is
//! compared.

use std::sync::Arc;
use std::time::{Duration, Instant};

mod api;
mod compare;
pub mod difference;
pub mod expectation;
pub mod exposition;
mod fetch;
mod labels;
mod observed;
mod reading;
mod report;
mod resource;

pub use super::value::{Attribute, Value};
pub use difference::{Difference, Differences};
pub use expectation::{DurationUnit, Expectation, ExpectedDimension, ExpectedHistogram};
pub use reading::{Endpoint, scrape};
pub use report::Verdict;
pub use resource::{Pattern, ResourceAction, ValueFrom};

use super::error::GenerateError;
use super::load::Load;
use super::totals::{BoundsNs, Sent};
use compare::Expected;
use observed::{Observed, Watch};
use reading::{Read, Source};

/// Between two readings while the target settles; longer where a reading takes longer.
const READ_PAUSE: Duration = Duration::from_millis(500);

/// A target with what it showed before the run.
pub struct Verifier {
    source: Source,
    ways: Vec<Expectation>,
    bounds_ns: BoundsNs,
    watch: Watch,
    before: Observed,
}

impl Verifier {
    /// Reads what the target shows before the run. Spans go all of `ways`.
    ///
    /// # Errors
    /// When the expectation cannot be verified, or the target gives nothing readable.
    pub async fn begin(
        endpoint: impl Into<Endpoint>,
        ways: Vec<Expectation>,
    ) -> Result<Self, GenerateError> {
        let endpoint = endpoint.into();
        let bounds_ns = expectation::bounds_of_all(&ways)?;
        let watch = Watch::new(&ways, endpoint.is_summing)?;
        let source = Source::find(&endpoint).await?;
        let before = source.read(&watch).await?.observed;
        Ok(Self {
            source,
            ways,
            bounds_ns,
            watch,
            before,
        })
    }

    /// The bounds that totals must be kept in.
    #[must_use]
    pub fn bounds_ns(&self) -> BoundsNs {
        Arc::clone(&self.bounds_ns)
    }

    /// Reads until nothing differs or `settle_max` is over. A reading that fails meanwhile is tried
    /// again: a target may be slow, or be started anew.
    ///
    /// # Errors
    /// When label sets are not defined.
    pub async fn settle(
        &self,
        load: &Arc<Load>,
        sent: &Sent,
        settle_max: Duration,
    ) -> Result<Verdict, GenerateError> {
        // To Prometheus an empty label is none.
        let keeps_empty = !self.source.is_api();
        let expected = Expected::new(load, sent, &self.ways, &self.bounds_ns, keeps_empty)?;
        let (common, names) = expected.labels();
        let begun = Instant::now();
        let mut verdict = Verdict {
            label_sets: expected.label_sets(),
            spans: sent.acknowledged.calls(),
            spans_uncertain: sent.uncertain.calls(),
            scrapes: 0,
            waited: Duration::ZERO,
            differences: Differences::default(),
            unread: None,
            hints: Vec::new(),
            common,
        };
        loop {
            let asked = Instant::now();
            let read = self.source.read(&self.watch).await;
            verdict.scrapes += 1;
            match read {
                Ok(read) => {
                    verdict.unread = None;
                    verdict.differences = expected.compare(&self.before, &read.observed);
                    verdict.hints = self.hints(&read, &verdict.differences);
                    let of_labels =
                        report::label_hints(&verdict.differences, &verdict.common, &names);
                    verdict.hints.extend(of_labels);
                }
                Err(error) => verdict.unread = Some(error.to_string()),
            }
            verdict.waited = begun.elapsed();
            if verdict.passed() || verdict.waited >= settle_max {
                return Ok(verdict);
            }
            tokio::time::sleep(READ_PAUSE.max(asked.elapsed())).await;
        }
    }

    /// What a person may look at first.
    fn hints(&self, read: &Read, differences: &Differences) -> Vec<String> {
        let mut hints = Vec::new();
        if differences.is_empty() {
            return hints;
        }
        if differences
            .groups()
            .any(|(kind, _)| kind == difference::Kind::Fell)
        {
            hints
                .push("counters went down: the target was started anew since the run began".into());
        }
        for target in &read.down {
            hints.push(format!("Prometheus cannot scrape {target}"));
        }
        if read.observed.is_empty() {
            let calls = self.watch.groups.iter().map(|names| names.calls.as_str());
            let calls: Vec<&str> = calls.collect();
            hints.push(format!("there is no metric called {}", calls.join(", ")));
            if !read.observed.similar.is_empty() {
                let similar: Vec<&str> = read.observed.similar.iter().map(String::as_str).collect();
                hints.push(format!("there is {}", similar.join(", ")));
            }
        }
        hints
    }
}
