//! Reads what the machine allows: cgroup v1 and v2 quotas and memory limits, affinity, cores.
//!
//! Every file is read below a given root, so tests lay out their own. A limit holds for a cgroup
//! and all below it, so the tightest one from the process's own cgroup up to the mount counts.
//! Inside a container the mount often shows the container's cgroup as its root while
//! `/proc/self/cgroup` still names the outer path: ancestors that do not exist are skipped.
//! A file that is missing or unreadable means no limit.

use std::fs;
use std::path::{Path, PathBuf};

use super::count::{Machine, Quota};

/// Where the CPU controller of cgroup v1 is mounted, by convention.
const CPU_V1: [&str; 3] = ["cpu", "cpu,cpuacct", "cpuacct,cpu"];
const MEMORY_V1: [&str; 1] = ["memory"];
/// Pure and hybrid mounts of cgroup v2.
const V2: [&str; 2] = ["", "unified"];

/// Below a page short of 2^63, cgroup v1 means a limit; above it, none.
const MEMORY_V1_UNLIMITED: u64 = 1 << 62;

/// Reads the machine through `root`, which is `/` outside tests.
#[must_use]
pub fn read_machine(root: &Path) -> Machine {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let online = fs::read_to_string(root.join("sys/devices/system/cpu/online"))
        .ok()
        .and_then(|list| count_list(&list));
    Machine {
        cores: online.unwrap_or(cores),
        affinity_cores: affinity_cores().unwrap_or(cores),
        quota: quota(root),
        memory_bytes: [memory_limit(root), memory_total(root)]
            .into_iter()
            .flatten()
            .min(),
    }
}

fn affinity_cores() -> Option<usize> {
    let set = rustix::thread::sched_getaffinity(None).ok()?;
    usize::try_from(set.count()).ok()
}

/// Cores in a list like `0-3,8`.
fn count_list(text: &str) -> Option<usize> {
    text.trim().split(',').try_fold(0_usize, |sum, part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let first: usize = first.parse().ok()?;
        let last: usize = last.parse().ok()?;
        sum.checked_add(last.checked_sub(first)?.checked_add(1)?)
    })
}

fn quota(root: &Path) -> Option<Quota> {
    let v1 = folders(root, "cpu", &CPU_V1).into_iter().filter_map(|dir| {
        Some(Quota {
            // -1 means none, and does not parse.
            quota_us: read_number(&dir.join("cpu.cfs_quota_us"))?,
            period_us: read_number(&dir.join("cpu.cfs_period_us"))?,
        })
    });
    let v2 = folders(root, "", &V2)
        .into_iter()
        .filter_map(|dir| parse_cpu_max(&fs::read_to_string(dir.join("cpu.max")).ok()?));
    v1.chain(v2)
        .filter(|quota| quota.period_us > 0)
        .reduce(|tightest, quota| {
            if quota.is_tighter_than(tightest) {
                quota
            } else {
                tightest
            }
        })
}

/// `max 100000` or `150000 100000`.
fn parse_cpu_max(text: &str) -> Option<Quota> {
    let mut words = text.split_ascii_whitespace();
    Some(Quota {
        quota_us: words.next()?.parse().ok()?,
        period_us: words.next()?.parse().ok()?,
    })
}

fn memory_limit(root: &Path) -> Option<u64> {
    let v1 = folders(root, "memory", &MEMORY_V1)
        .into_iter()
        .filter_map(|dir| read_number(&dir.join("memory.limit_in_bytes")))
        .filter(|bytes| *bytes < MEMORY_V1_UNLIMITED);
    let v2 = folders(root, "", &V2)
        .into_iter()
        .filter_map(|dir| read_number(&dir.join("memory.max")));
    v1.chain(v2).min()
}

/// `MemTotal:       24689764 kB`
fn memory_total(root: &Path) -> Option<u64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The folders of one controller from the process's own cgroup up, at every mount that exists.
/// The controller of cgroup v2 has no name.
fn folders(root: &Path, controller: &str, mounts: &[&str]) -> Vec<PathBuf> {
    let own = own_cgroup(root, controller).unwrap_or_default();
    let mut folders = Vec::new();
    for mount in mounts {
        let mount = root.join("sys/fs/cgroup").join(mount);
        let mut dir = mount.join(own.trim_start_matches('/'));
        loop {
            folders.push(dir.clone());
            if dir == mount || !dir.pop() {
                break;
            }
        }
    }
    folders
}

/// The path in the line `N:cpu,cpuacct:/path` (v1) or `0::/path` (v2) of `/proc/self/cgroup`.
fn own_cgroup(root: &Path, controller: &str) -> Option<String> {
    let text = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    text.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        // A path with `..` lies outside of what is mounted here.
        let inside = !path.split('/').any(|part| part == "..");
        (inside && controllers.split(',').any(|name| name == controller)).then(|| path.to_owned())
    })
}

fn read_number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests;
