//! `processors.memory_limiter`: refuses while memory is above its limit.

use std::time::Duration;

#[derive(Clone, Debug, PartialEq)]
pub struct MemoryLimiterOptions {
    pub check_interval: Duration,
    pub limit_mib: u32,
    pub spike_limit_mib: u32,
    pub limit_percentage: u32,
    pub spike_limit_percentage: u32,
}
