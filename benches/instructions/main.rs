//! Each station and a worker's whole path, a known number of times under callgrind: what
//! `perf/instructions` runs, and holds against `perf/budgets.toml`.
//!
//! `instructions --list` prints the cases; `instructions CASE` runs one and prints how many units it
//! counted, of which kind (`2048 span`). Callgrind counts inside `meter::counted` alone
//! (`--toggle-collect`), so setting up, warming up and tearing down are free. Not timed; no criterion,
//! and not the framework gungraun: it keeps baselines under `target/`, compares totals and cannot
//! name the function that grew, and its runner is a second program to install.
#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers of rows and groups are small"
)]

#[allow(dead_code, reason = "each bench uses a part of it")]
#[path = "../guide_lane/mod.rs"]
mod guide_lane;
#[path = "../guide_resource/mod.rs"]
mod guide_resource;
#[allow(dead_code, reason = "each bench uses a part of it")]
#[path = "../guide_scrape/mod.rs"]
mod guide_scrape;
#[allow(dead_code, reason = "each bench uses a part of it")]
#[path = "../requests/mod.rs"]
mod requests;
#[path = "../../tests/spanmetrics_support/mod.rs"]
mod spanmetrics_support;

mod buckets;
mod connector;
mod exporter;
mod meter;
mod path;
mod store;

use meter::{Case, Units};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    path::add(&mut cases);
    connector::add(&mut cases);
    buckets::add(&mut cases);
    store::add(&mut cases);
    exporter::add(&mut cases);
    cases
}

fn main() {
    // `cargo bench` and `cargo test` call it with arguments of their own: nothing to do then.
    let Some(wanted) = std::env::args().nth(1) else {
        return;
    };
    for Case { name, run } in cases() {
        if wanted == "--list" {
            println!("{name}");
        } else if wanted == name {
            let Units { count, name } = run();
            println!("{count} {name}");
        }
    }
}
