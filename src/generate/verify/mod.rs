//! Whether a target shows exactly what it was sent.
//!
//! | file | purpose |
//! |---|---|
//! | `expectation` | what the target's configuration makes of spans |
//! | `labels` | label sets and metric names, worked out anew, not by `naming` |
//! | `exposition` | a strict reader of the text format 0.0.4 |
//! | `scrape` | asks the target for its exposition |
//! | `observed` | the span metrics of one exposition |
//! | `compare` | what was sent against what is shown |
//!
//! The target is scraped before the run and again after it until everything is there or the settle
//! time is over: a target may show its values at a flush. Differences of the two scrapes are
//! compared, so a target that has run for long can be verified, too, if nobody else sends.

use std::sync::Arc;
use std::time::{Duration, Instant};

pub mod compare;
pub mod expectation;
pub mod exposition;
mod labels;
pub mod observed;
pub mod scrape;

pub use compare::Difference;
pub use expectation::{DurationUnit, Expectation, ExpectedDimension, ExpectedHistogram};

use super::error::GenerateError;
use super::load::Load;
use super::target::Target;
use super::totals::{BoundsNs, Sent};
use compare::Expected;
use observed::Observed;

/// Between two scrapes while the target settles.
const SCRAPE_PAUSE: Duration = Duration::from_millis(500);

/// A target with what it showed before the run.
pub struct Verifier {
    target: Target,
    expectation: Expectation,
    before: Observed,
}

/// What came of a verification.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// That were sent.
    pub label_sets: usize,
    pub spans: u64,
    /// Of refused and unanswered requests; if there are any, intervals were accepted.
    pub spans_uncertain: u64,
    pub scrapes: u32,
    pub waited: Duration,
    /// None: the target shows what it was sent.
    pub differences: Vec<Difference>,
}

impl Verifier {
    /// Scrapes the target before the run.
    ///
    /// # Errors
    /// When the expectation cannot be verified, or the target gives no readable exposition.
    pub async fn begin(target: Target, expectation: Expectation) -> Result<Self, GenerateError> {
        expectation.bounds_ns()?;
        let text = scrape::scrape(&target).await?;
        let before = Observed::read(&text, &expectation)?;
        Ok(Self {
            target,
            expectation,
            before,
        })
    }

    /// The bounds that totals must be kept in.
    ///
    /// # Errors
    /// When they are not ascending.
    pub fn bounds_ns(&self) -> Result<BoundsNs, GenerateError> {
        self.expectation.bounds_ns()
    }

    /// Scrapes until nothing differs or `settle_max` is over.
    ///
    /// # Errors
    /// When label sets are not defined, or the target gives no readable exposition.
    pub async fn settle(
        &self,
        load: &Arc<Load>,
        sent: &Sent,
        settle_max: Duration,
    ) -> Result<Verdict, GenerateError> {
        let expected = Expected::new(load, sent, &self.expectation)?;
        let begun = Instant::now();
        let mut scrapes = 0;
        loop {
            let text = scrape::scrape(&self.target).await?;
            scrapes += 1;
            let after = Observed::read(&text, &self.expectation)?;
            let differences = expected.compare(&self.before, &after);
            if differences.is_empty() || begun.elapsed() >= settle_max {
                return Ok(Verdict {
                    label_sets: expected.label_sets(),
                    spans: sent.acknowledged.calls(),
                    spans_uncertain: sent.uncertain.calls(),
                    scrapes,
                    waited: begun.elapsed(),
                    differences,
                });
            }
            tokio::time::sleep(SCRAPE_PAUSE).await;
        }
    }
}
