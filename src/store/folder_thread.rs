//! The thread that folds: at least once a second, when a window is large, and before every reading.
//!
//! Everything that wants something of it unparks it; it looks at all of that before it parks again.
//! The clock is an argument. A busy worker is waited for at most `WAITS`, then the fold goes on
//! without its window, which the worker leaves for the next one.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError};

use super::counts::{self, StoreCounts};
use super::folder::Folder;
use super::handover::FolderSide;
use super::snapshot::Snapshot;
use super::window::OwnerId;

/// Now, Unix milliseconds.
pub type Clock = Box<dyn Fn() -> u64 + Send>;
/// Gets what was asked for, on the folder's thread: hand it on and return.
pub type Reply<T> = Box<dyn FnOnce(T) + Send>;

/// Readings and ticks that may wait for the folder.
const COMMANDS_MAX: usize = 256;
/// A window is never older than this, unless its worker is busy.
const FOLD_EVERY_MS: u64 = 1_000;
/// How long to park between questions to busy workers, in microseconds: 5 ms in all. A park that ends
/// because a window came does not count.
const WAITS_US: [u64; 7] = [50, 100, 200, 400, 800, 1_600, 1_850];

enum Command {
    Snapshot(Reply<Snapshot>),
    LastFlush(OwnerId, Reply<Option<Snapshot>>),
    Tick(OwnerId),
    Stop(Reply<Snapshot>),
}

/// Asks the folder. Cheap to clone. Never waits: `false` means that the folder is too far behind or
/// gone, and the reply is dropped.
#[derive(Clone)]
pub struct FolderClient {
    commands: Sender<Command>,
    thread: Thread,
}

impl FolderClient {
    /// Folds what there is, then gives all cells to `reply`.
    #[must_use]
    pub fn snapshot(&self, reply: impl FnOnce(Snapshot) + Send + 'static) -> bool {
        self.send(Command::Snapshot(Box::new(reply)))
    }

    /// Gives all cells as of the owner's last tick; `None` if there is none or it is not kept.
    #[must_use]
    pub fn last_flush(
        &self,
        owner: OwnerId,
        reply: impl FnOnce(Option<Snapshot>) + Send + 'static,
    ) -> bool {
        self.send(Command::LastFlush(owner, Box::new(reply)))
    }

    /// The owner's flush interval went by.
    #[must_use]
    pub fn tick(&self, owner: OwnerId) -> bool {
        self.send(Command::Tick(owner))
    }

    /// A last fold and snapshot, then the thread ends. What workers do afterwards is not counted.
    #[must_use]
    pub fn stop(&self, reply: impl FnOnce(Snapshot) + Send + 'static) -> bool {
        self.send(Command::Stop(Box::new(reply)))
    }

    fn send(&self, command: Command) -> bool {
        let is_sent = self.commands.try_send(command).is_ok();
        self.thread.unpark();
        is_sent
    }
}

struct FolderThread {
    folder: Folder,
    sides: Vec<FolderSide>,
    commands: Receiver<Command>,
    clock: Clock,
    counts: Arc<StoreCounts>,
    /// When the last fold began.
    folded_ms: u64,
    /// By worker: windows that this fold still wants.
    due: Vec<u8>,
}

/// Starts the thread. `sides` by worker.
pub fn spawn(
    folder: Folder,
    sides: Vec<FolderSide>,
    clock: Clock,
) -> io::Result<(FolderClient, JoinHandle<()>)> {
    let (sender, commands) = crossbeam_channel::bounded(COMMANDS_MAX);
    let thread = FolderThread {
        counts: folder.counts(),
        folder,
        due: vec![0; sides.len()],
        sides,
        commands,
        folded_ms: clock(),
        clock,
    };
    let joined = thread::Builder::new()
        .name("folder".to_owned())
        .spawn(move || thread.run())?;
    let client = FolderClient {
        commands: sender,
        thread: joined.thread().clone(),
    };
    Ok((client, joined))
}

impl FolderThread {
    fn run(mut self) {
        for side in &self.sides {
            side.wake_me();
        }
        loop {
            let age_ms = self.age_ms();
            if age_ms >= FOLD_EVERY_MS || self.sides.iter().any(FolderSide::wants_fold) {
                self.fold();
            }
            match self.commands.try_recv() {
                Ok(Command::Stop(reply)) => {
                    reply(self.fresh());
                    return;
                }
                Ok(command) => self.obey(command),
                // Nobody can ever read again.
                Err(TryRecvError::Disconnected) => return,
                Err(TryRecvError::Empty) => {
                    let rest_ms = FOLD_EVERY_MS.saturating_sub(self.age_ms());
                    thread::park_timeout(Duration::from_millis(rest_ms));
                }
            }
        }
    }

    /// Of the last fold. A clock that jumps back makes it old, and does not stop the folding.
    fn age_ms(&self) -> u64 {
        (self.clock)().abs_diff(self.folded_ms)
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Snapshot(reply) | Command::Stop(reply) => reply(self.fresh()),
            Command::LastFlush(owner, reply) => reply(self.folder.last_flush(owner).cloned()),
            Command::Tick(owner) => {
                self.fold();
                self.folder.tick(owner, (self.clock)());
                self.ask_for_epochs();
            }
        }
    }

    fn fresh(&mut self) -> Snapshot {
        self.fold();
        self.folder.snapshot((self.clock)())
    }

    /// Folds a window of each worker, or two where an older one was left for us: so everything that
    /// was in a window when this began is in the store, but for late ones.
    fn fold(&mut self) {
        self.folded_ms = (self.clock)();
        for (due, side) in self.due.iter_mut().zip(&self.sides) {
            *due = 1 + u8::from(side.is_posted());
        }
        let mut waits = WAITS_US.iter();
        while !self.fold_ready() {
            let Some(wait_us) = waits.next() else {
                let late = self.due.iter().filter(|due| **due > 0).count();
                counts::add(&self.counts.windows_late, late as u64);
                break;
            };
            thread::park_timeout(Duration::from_micros(*wait_us));
        }
        self.ask_for_epochs();
    }

    /// Folds what can be had now; answers whether nothing is due any more.
    fn fold_ready(&mut self) -> bool {
        for (worker, side) in self.sides.iter_mut().enumerate() {
            while self.due[worker] > 0
                && let Some(window) = side.collect()
            {
                self.folder.fold(worker, &window);
                side.give_back(window);
                self.due[worker] -= 1;
            }
        }
        self.due.iter().all(|due| *due == 0)
    }

    fn ask_for_epochs(&mut self) {
        for (worker, side) in self.sides.iter().enumerate() {
            if self.folder.asks_for_epoch(worker) {
                side.want_epoch();
            }
        }
    }
}
