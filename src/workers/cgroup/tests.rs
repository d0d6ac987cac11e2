//! Laid-out roots, and a real quota where this machine lets us set one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::count::Quota;
use super::{count_list, memory_limit, memory_total, quota, read_machine};

fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    root
}

fn quota_of(files: &[(&str, &str)]) -> Option<(u64, u64)> {
    quota(root(files).path()).map(|quota| (quota.quota_us, quota.period_us))
}

#[test]
fn no_files_mean_no_limits() {
    let empty = root(&[]);
    assert_eq!(quota(empty.path()), None);
    assert_eq!(memory_limit(empty.path()), None);
    assert_eq!(memory_total(empty.path()), None);
}

#[test]
fn version_2_reads_cpu_max_and_memory_max() {
    let files = [
        ("proc/self/cgroup", "0::/pod/box\n"),
        ("sys/fs/cgroup/pod/box/cpu.max", "150000 100000\n"),
        ("sys/fs/cgroup/pod/box/memory.max", "536870912\n"),
        ("sys/fs/cgroup/pod/cpu.max", "max 100000\n"),
        ("sys/fs/cgroup/pod/memory.max", "max\n"),
    ];
    assert_eq!(quota_of(&files), Some((150_000, 100_000)));
    assert_eq!(memory_limit(root(&files).path()), Some(512 << 20));
}

#[test]
fn version_1_reads_cfs_files_and_minus_one_is_none() {
    let line = ("proc/self/cgroup", "4:memory:/a\n3:cpu,cpuacct:/a\n");
    assert_eq!(
        quota_of(&[
            line,
            ("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "250000\n"),
            ("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"),
        ]),
        Some((250_000, 100_000))
    );
    assert_eq!(
        quota_of(&[
            line,
            ("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"),
        ]),
        None
    );
    let memory = |text| {
        memory_limit(root(&[line, ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", text)]).path())
    };
    assert_eq!(memory("9223372036854771712\n"), None);
    assert_eq!(memory("1048576\n"), Some(1 << 20));
}

#[test]
fn tightest_ancestor_counts_whatever_its_period() {
    let files = [
        ("proc/self/cgroup", "0::/pod/box\n"),
        ("sys/fs/cgroup/pod/box/cpu.max", "400000 100000\n"),
        ("sys/fs/cgroup/pod/cpu.max", "30000 20000\n"),
    ];
    assert_eq!(quota_of(&files), Some((30_000, 20_000)));
}

#[test]
fn outer_path_inside_a_container_finds_the_mounted_root() {
    let files = [
        ("proc/self/cgroup", "3:cpu:/docker/0123\n0::/../outside\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000"),
        ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "50000"),
    ];
    assert_eq!(quota_of(&files), Some((100_000, 50_000)));
}

#[test]
fn broken_files_are_no_limit() {
    for text in [
        "",
        "max",
        "12",
        "x y",
        "1 2 3 4 5\n",
        "18446744073709551616 1",
    ] {
        let files = [
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/cpu.max", text),
        ];
        let read = quota_of(&files);
        assert!(read.is_none() || read == Some((1, 2)), "{text}: {read:?}");
    }
}

#[test]
fn core_lists_are_counted() {
    assert_eq!(count_list("0\n"), Some(1));
    assert_eq!(count_list("0-3,8,10-11\n"), Some(7));
    assert_eq!(count_list("3-1"), None);
    assert_eq!(count_list(""), None);
}

/// The environment variable that makes this test binary print its own machine and do no more.
const PRINT: &str = "SPANMILL_TEST_PRINT_WORKERS";

/// Runs in the subprocess of the next test, inside a cgroup with a quota; alone it checks little.
#[test]
fn own_machine_has_at_least_one_worker() {
    let machine = read_machine(Path::new("/"));
    assert!(machine.workers() >= 1);
    if std::env::var_os(PRINT).is_some() {
        println!("workers={} quota={:?}", machine.workers(), machine.quota);
    }
}

/// A cgroup of our own with a CFS quota, removed on drop.
struct Cage(PathBuf);

impl Cage {
    fn with_quota(quota_us: u64) -> Option<(Self, &'static str)> {
        let name = format!("spanmill-test-{}-{quota_us}", std::process::id());
        for (mount, files) in [
            (
                "/sys/fs/cgroup/cpu",
                vec![
                    ("cpu.cfs_period_us", "100000".to_owned()),
                    ("cpu.cfs_quota_us", quota_us.to_string()),
                ],
            ),
            (
                "/sys/fs/cgroup",
                vec![("cpu.max", format!("{quota_us} 100000"))],
            ),
        ] {
            let dir = Path::new(mount).join(&name);
            if fs::create_dir(&dir).is_err() {
                continue;
            }
            let made = Self(dir);
            // A tmpfs takes the folder but has no control files; do not make them.
            let written = files.iter().all(|(file, text)| {
                let path = made.0.join(file);
                path.exists() && fs::write(path, text).is_ok()
            });
            if written {
                return Some((made, mount));
            }
        }
        None
    }
}

impl Drop for Cage {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn real_quota_in_a_cgroup_is_read_by_a_process_inside_it() {
    let online = read_machine(Path::new("/"));
    let allowed = online.cores.min(online.affinity_cores);
    for (quota_us, cores) in [(50_000, 1), (150_000, 1), (200_000, 2)] {
        let Some((made, mount)) = Cage::with_quota(quota_us) else {
            println!("SKIPPED: no CFS quota can be set in a cgroup v1 or v2 of this machine");
            eprintln!("SKIPPED: no CFS quota can be set in a cgroup v1 or v2 of this machine");
            return;
        };
        let binary = std::env::current_exe().expect("this test binary");
        let output = Command::new("sh")
            .arg("-c")
            .arg("echo $$ > \"$0/cgroup.procs\" && exec \"$@\"")
            .arg(&made.0)
            .arg(binary)
            .args(["--exact", "--nocapture"])
            .arg("workers::cgroup::tests::own_machine_has_at_least_one_worker")
            .env(PRINT, "1")
            .output()
            .expect("the subprocess runs");
        let text = String::from_utf8_lossy(&output.stdout);
        let quota = Quota {
            quota_us,
            period_us: 100_000,
        };
        let expected = format!("workers={} quota={:?}", allowed.min(cores), Some(quota));
        assert!(text.contains(&expected), "{mount}: {text}");
    }
}
