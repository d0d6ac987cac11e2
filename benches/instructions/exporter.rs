//! A scrape from snapshot to body, per line; the births of a view's series, per label set.

use std::hint::black_box;

use tokio::runtime::{Builder, Runtime};

use crate::guide_scrape::exporter_support::{Harness, OPEN_METRICS, TEXT};
use crate::guide_scrape::{LINES, body, guide};
use crate::meter::{Case, Units, meter, meter_fresh};

const LABEL_SETS: usize = 200;

pub fn add(cases: &mut Vec<Case>) {
    for (name, accept, timestamps, gzip) in [
        ("text", TEXT, false, false),
        ("open_metrics", OPEN_METRICS, true, false),
        ("text_gzip", TEXT, false, true),
        ("open_metrics_gzip", OPEN_METRICS, true, true),
    ] {
        cases.push(Case::new(format!("scrape/{name}"), move || {
            let harness = guide(LABEL_SETS, timestamps).0;
            let runtime = runtime();
            meter(4, (LABEL_SETS * LINES) as u64, "line", || {
                scrape(&runtime, &harness, accept, gzip);
            })
        }));
    }
    cases.push(Case::new("scrape/births", births));
}

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .build()
        .expect("a runtime without I/O")
}

fn scrape(runtime: &Runtime, harness: &Harness, accept: &str, gzip: bool) {
    let bytes = runtime.block_on(body(harness, accept, gzip));
    assert!(black_box(bytes) > LABEL_SETS * LINES);
}

/// The first scrape of a fresh view: its labels are made. It has its lines to write too.
fn births() -> Units {
    let runtime = runtime();
    meter_fresh(
        2,
        LABEL_SETS as u64,
        "label set",
        || guide(LABEL_SETS, false).0,
        |harness| scrape(&runtime, harness, TEXT, false),
    )
}
