//! How many workers: arithmetic over what the machine allows, nothing else.
//!
//! `cgroup` reads the facts; here they only become a number. The quota rounds down, since a worker
//! that is throttled for half of each period stalls everything dealt to it.

/// What the machine lets this process use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Cores that are online.
    pub cores: usize,
    /// Cores that this process may run on.
    pub affinity_cores: usize,
    /// The tightest CFS quota of the process's cgroup and its ancestors.
    pub quota: Option<Quota>,
    /// The tightest memory limit: cgroup and ancestors, and the machine's memory.
    pub memory_bytes: Option<u64>,
}

/// A CFS quota: so much CPU time per period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    pub quota_us: u64,
    pub period_us: u64,
}

impl Machine {
    /// `max(1, floor(quota))`, at most the cores online and the cores allowed.
    #[must_use]
    pub fn workers(&self) -> usize {
        let allowed = self.cores.min(self.affinity_cores);
        let quota = self.quota.map_or(usize::MAX, Quota::whole_cores);
        allowed.min(quota).max(1)
    }
}

impl Quota {
    fn whole_cores(self) -> usize {
        let cores = self.quota_us.checked_div(self.period_us);
        cores.map_or(usize::MAX, |cores| {
            usize::try_from(cores).unwrap_or(usize::MAX)
        })
    }

    /// Whether `self` allows less than `other`.
    pub(super) fn is_tighter_than(self, other: Self) -> bool {
        u128::from(self.quota_us) * u128::from(other.period_us)
            < u128::from(other.quota_us) * u128::from(self.period_us)
    }
}

#[cfg(test)]
mod tests {
    use super::{Machine, Quota};

    fn machine(cores: usize, affinity_cores: usize, quota_us: Option<u64>) -> Machine {
        Machine {
            cores,
            affinity_cores,
            quota: quota_us.map(|quota_us| Quota {
                quota_us,
                period_us: 100_000,
            }),
            memory_bytes: None,
        }
    }

    #[test]
    fn quota_is_rounded_down_and_capped_by_affinity_and_cores() {
        for (cores, affinity, quota_us, workers) in [
            (8, 8, None, 8),
            (8, 3, None, 3),
            (2, 8, None, 2),
            (8, 8, Some(50_000), 1),
            (8, 8, Some(199_999), 1),
            (8, 8, Some(200_000), 2),
            (8, 8, Some(350_000), 3),
            (4, 4, Some(9_900_000), 4),
            (8, 1, Some(400_000), 1),
        ] {
            let machine = machine(cores, affinity, quota_us);
            assert_eq!(machine.workers(), workers, "{machine:?}");
        }
    }

    #[test]
    fn nonsense_still_gives_one_worker() {
        assert_eq!(machine(0, 0, Some(0)).workers(), 1);
        let zero_period = Machine {
            quota: Some(Quota {
                quota_us: 1,
                period_us: 0,
            }),
            ..machine(2, 2, None)
        };
        assert_eq!(zero_period.workers(), 2);
    }
}
