//! `processors.batch`. Before the scrape's store it has nothing to gain and passes through.

use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchOptions {
    pub timeout: Duration,
    pub send_batch_size: u32,
    pub send_batch_max_size: u32,
}
