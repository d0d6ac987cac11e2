//! `processors.memory_limiter`: its options. It does not refuse anything yet, and the start says so;
//! what bounds memory is the byte budget of the receivers.

use std::time::Duration;

use crate::config::{Code, Section};

#[derive(Clone, Debug, PartialEq)]
pub struct MemoryLimiterOptions {
    pub check_interval: Duration,
    pub limit_mib: u32,
    pub spike_limit_mib: u32,
    pub limit_percentage: u32,
    pub spike_limit_percentage: u32,
}

impl MemoryLimiterOptions {
    pub fn read(section: &mut Section) -> Self {
        check_pauses(section);
        let options = Self {
            check_interval: section.duration("check_interval", Duration::ZERO),
            limit_mib: section.unsigned("limit_mib", 0),
            spike_limit_mib: section.unsigned("spike_limit_mib", 0),
            limit_percentage: section.unsigned("limit_percentage", 0),
            spike_limit_percentage: section.unsigned("spike_limit_percentage", 0),
        };
        options.check(section);
        options
    }

    fn check(&self, section: &mut Section) {
        let path = section.path().to_owned();
        if self.check_interval.is_zero() {
            section.refuse(
                "check_interval",
                Code::Missing,
                format!("`{path}` has no `check_interval`"),
                "a duration above zero, such as `1s`",
            );
        }
        if self.limit_mib == 0 && self.limit_percentage == 0 {
            section.refuse(
                "limit_mib",
                Code::Missing,
                format!("`{path}` has no limit"),
                "`limit_mib` or `limit_percentage` above zero",
            );
        }
        for (key, percentage) in [
            ("limit_percentage", self.limit_percentage),
            ("spike_limit_percentage", self.spike_limit_percentage),
        ] {
            if percentage > 100 {
                let message = format!("`{path}.{key}` is {percentage}");
                section.refuse(key, Code::OutOfRange, message, "from 0 to 100");
            }
        }
        for (key, spike, limit) in [
            ("spike_limit_mib", self.spike_limit_mib, self.limit_mib),
            (
                "spike_limit_percentage",
                self.spike_limit_percentage,
                self.limit_percentage,
            ),
        ] {
            if limit > 0 && spike >= limit {
                let message = format!("`{path}.{key}` is {spike}, the limit itself is {limit}");
                section.refuse(key, Code::Conflict, message, "below the limit");
            }
        }
    }
}

/// Pauses between collections of garbage, which there is none of here.
fn check_pauses(section: &mut Section) {
    let key = "min_gc_interval_when_soft_limited";
    let soft = section.duration(key, Duration::from_secs(10));
    let hard = section.duration("min_gc_interval_when_hard_limited", Duration::ZERO);
    if soft < hard {
        let message = format!(
            "`{}` is less than `min_gc_interval_when_hard_limited`",
            section.path_of(key)
        );
        section.refuse(key, Code::Conflict, message, "at least as long");
    }
}
