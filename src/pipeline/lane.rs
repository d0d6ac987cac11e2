//! One worker's path alone: request bytes to a window to the store, without sockets and threads.
//!
//! For benches and tests that drive the compiled path by hand: the caller runs the station, takes
//! the window at the other end and folds it. Everything is built by the functions that build the
//! program, so what is measured is what is shipped.

use std::sync::Arc;

use crate::batch::TraceLayout;
use crate::pipeline::build::{Paths, connectors, station, store};
use crate::pipeline::plan::Plan;
use crate::pipeline::settings::Settings;
use crate::store::folder::Folder;
use crate::store::handover::FolderSide;
use crate::telemetry::counters::Registry;
use crate::workers::Station;

/// A station, the far end of its window, and the store behind.
pub struct Lane {
    pub station: Box<dyn Station>,
    pub side: FolderSide,
    pub folder: Folder,
}

impl Lane {
    /// The path that the settings describe; its receivers are numbered as in the plan.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let registry = Registry::new(1);
        let plan = Plan::compile(settings);
        let connectors = connectors(settings, &plan, &registry);
        let (folder, mut sides, mut folder_sides) = store(settings, &connectors, 1);
        let layout = Arc::new(TraceLayout::new(plan.columns.clone()));
        let paths = Paths::new(plan, settings);
        let side = sides.pop().expect("one worker has one side");
        Self {
            station: Box::new(station(0, side, &layout, &paths, &connectors)),
            side: folder_sides.pop().expect("one worker has one side"),
            folder,
        }
    }

    /// Folds what the station has counted.
    pub fn fold(&mut self) {
        let window = (self.side.collect()).expect("between runs the worker is idle");
        self.folder.fold(0, &window);
        self.side.give_back(window);
    }
}
