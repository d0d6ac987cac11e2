//! How a window changes hands between a worker and the folder, without a lock.
//!
//! A worker takes its window at the start of a run and gives it back at the end, one swap each. The
//! folder exchanges an idle window for an empty spare one; for a busy window it posts the spare, which
//! the worker picks up at the end of its run, leaving the full one. Neither side ever waits in here:
//! how long the folder asks again is decided in `folder_thread`.
//!
//! # State
//!
//! Three places, each null or the only pointer to a boxed window:
//!
//! | place | holds |
//! |---|---|
//! | `current` | the window that the worker's next run takes; null while a run goes on |
//! | `spare` | an empty window that the folder posted to a busy worker |
//! | `full` | the window that the worker left for the spare |
//!
//! A window is in exactly one of: a place, the worker's [`Run`], the folder's hands.
//!
//! # Who may touch what
//!
//! | | `current` | `spare` | `full` |
//! |---|---|---|---|
//! | [`WorkerSide`] | window -> null (take), null -> window (give) | window -> null (pick up) | null -> window (leave) |
//! | [`FolderSide`] | window -> spare (exchange) | null -> window (post), window -> null (retract) | window -> null (fetch) |
//!
//! # Transitions
//!
//! | state of the worker | folder: nothing posted | folder: posted |
//! |---|---|---|
//! | idle (`current` set) | exchange: done | retract, then exchange: done |
//! | busy | post | ask again; the worker's give picks up and leaves: fetch: done |
//! | gave just before the post was visible | - | idle again: retract, then exchange |
//! | picked up, not yet left | - | retract finds null: ask again, `full` is about to come |
//!
//! # Why this is sound
//!
//! - Only the worker empties `current` into null and only it fills a null: so `take` always finds a
//!   window, and the folder, which replaces non-null by non-null, never sees its exchange undone.
//! - The exchange compares addresses. An address that left and came back meanwhile is the same
//!   window with more in it (only the folder frees windows), so success means the newest contents:
//!   the compare-exchange acquires the last give.
//! - The folder posts again only after it fetched or retracted. So at most one of `spare` and `full`
//!   is set, and the worker's store to `full` overwrites nothing.
//! - A spare that is both retracted and picked up would be owned twice: both exchange it for null, so
//!   exactly one of them succeeds. A spare that was retracted and posted again is the same empty one.
//! - Windows of one worker reach the folder in the order in which the worker wrote them: the worker
//!   leaves the full one before it makes the spare its current one, and the folder exchanges
//!   `current` only when nothing is posted.
//!
//! Models: `tests/loom`.
#![allow(
    unsafe_code,
    reason = "boxes travel through atomic pointers; one function turns them back"
)]

use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::OnceLock;
use std::thread::Thread;

use super::sync::{Arc, AtomicBool, AtomicPtr, AtomicU32, Ordering};
use super::window::Window;
use crate::telemetry::padded::Padded;

struct Shared {
    current: Padded<AtomicPtr<Window>>,
    spare: Padded<AtomicPtr<Window>>,
    full: Padded<AtomicPtr<Window>>,
    /// The worker's window is large and should be folded soon.
    is_large: AtomicBool,
    /// Epoch that the worker's tables shall have from the next fresh window on.
    epoch_wanted: AtomicU32,
    /// Who is woken when a window was left or is large.
    folder: OnceLock<Thread>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        for place in [&*self.current, &*self.spare, &*self.full] {
            // Both sides are gone: their last references to `Shared` order everything before this.
            drop(own(place.swap(ptr::null_mut(), Ordering::Relaxed)));
        }
    }
}

/// Both sides of the hand-over of one worker. `tables`: how many a window has.
#[must_use]
pub fn handover(tables: usize) -> (WorkerSide, FolderSide) {
    let shared = Arc::new(Shared {
        current: Padded(AtomicPtr::new(disown(Box::new(Window::new(tables))))),
        spare: Padded(AtomicPtr::new(ptr::null_mut())),
        full: Padded(AtomicPtr::new(ptr::null_mut())),
        is_large: AtomicBool::new(false),
        epoch_wanted: AtomicU32::new(0),
        folder: OnceLock::new(),
    });
    let worker = WorkerSide {
        shared: Arc::clone(&shared),
        sequence: 0,
        wraps: 0,
    };
    let folder = FolderSide {
        shared,
        spare: Some(Box::new(Window::new(tables))),
    };
    (worker, folder)
}

/// The worker's end. One for each worker; never shared.
pub struct WorkerSide {
    shared: Arc<Shared>,
    /// Of the last window that was fresh.
    sequence: u32,
    /// How often the sequence wrapped: each time is a new epoch of its own.
    wraps: u32,
}

impl WorkerSide {
    /// Takes the window for a run. It goes back when the [`Run`] is dropped, also in a panic.
    ///
    /// # Hot path
    /// - runs: on a worker, once a run
    /// - cost: one swap here and one store at the end; no allocation (bench `store/handover`)
    /// - invariants: none
    /// - units: none
    pub fn take(&mut self) -> Run<'_> {
        // ORDERING: Acquire pairs with the Release of `give` (our own) and of `exchange`.
        let taken = self.shared.current.swap(ptr::null_mut(), Ordering::Acquire);
        let mut window = own(taken).expect("only a run empties the place, and a run gives back");
        if window.sequence == 0 {
            self.number(&mut window);
        }
        Run {
            side: self,
            window: Some(window),
        }
    }

    /// A fresh window starts a new sequence, and a new epoch if one is wanted.
    fn number(&mut self, window: &mut Window) {
        self.sequence = self.sequence.wrapping_add(1);
        if self.sequence == 0 {
            // 0 says fresh. Slots of the first round may still be remembered: forget all.
            self.sequence = 1;
            self.wraps = self.wraps.wrapping_add(1);
        }
        window.sequence = self.sequence;
        window.epoch = self
            .shared
            .epoch_wanted
            .load(Ordering::Relaxed)
            .wrapping_add(self.wraps);
    }

    fn give(&self, window: Box<Window>) {
        let shared = &self.shared;
        let is_large = window.bytes() >= Window::BYTES_LARGE;
        let given = disown(window);
        // ORDERING: Acquire pairs with the Release of `post`. Most runs find none: a plain load, which
        // keeps the line shared.
        let spare = take_out(&shared.spare, Ordering::Acquire);
        if let Some(spare) = spare {
            // ORDERING: Release pairs with the Acquire of `fetch`.
            shared.full.store(given, Ordering::Release);
            // ORDERING: Release keeps the leaving before it. The spare's contents are the folder's own.
            shared.current.store(disown(spare), Ordering::Release);
            self.wake();
            return;
        }
        // ORDERING: Release pairs with the Acquire of `take` and of `exchange`.
        shared.current.store(given, Ordering::Release);
        if is_large && !shared.is_large.swap(true, Ordering::Relaxed) {
            self.wake();
        }
    }

    fn wake(&self) {
        if let Some(thread) = self.shared.folder.get() {
            thread.unpark();
        }
    }
}

/// A window in a worker's hands, for one run.
#[must_use]
pub struct Run<'a> {
    side: &'a WorkerSide,
    /// `None` only inside `drop`.
    window: Option<Box<Window>>,
}

impl Deref for Run<'_> {
    type Target = Window;

    fn deref(&self) -> &Window {
        self.window.as_ref().expect("present until drop")
    }
}

impl DerefMut for Run<'_> {
    fn deref_mut(&mut self) -> &mut Window {
        self.window.as_mut().expect("present until drop")
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if let Some(window) = self.window.take() {
            self.side.give(window);
        }
    }
}

/// The folder's end. One for each worker; never shared.
pub struct FolderSide {
    shared: Arc<Shared>,
    /// `None`: posted, or in the folder's hands as the window just collected.
    spare: Option<Box<Window>>,
}

impl FolderSide {
    /// The worker wakes the calling thread from now on.
    pub(super) fn wake_me(&self) {
        // A second call finds the same thread: the folder never moves to another one.
        let _ = self.shared.folder.set(std::thread::current());
    }

    /// Whether a spare is posted and not yet answered. Then the next window may be an older one than
    /// the worker's current.
    #[must_use]
    pub fn is_posted(&self) -> bool {
        self.spare.is_none()
    }

    /// Whether the worker's window is large.
    #[must_use]
    pub fn wants_fold(&self) -> bool {
        self.shared.is_large.load(Ordering::Relaxed)
    }

    /// All groups of the worker get new ids from its next fresh window on.
    pub fn want_epoch(&self) {
        self.shared.epoch_wanted.fetch_add(1, Ordering::Relaxed);
    }

    /// The worker's window, if it can be had now. After `None` a spare is posted: ask again. Each
    /// window must come back by [`FolderSide::give_back`] before the next call.
    #[must_use]
    pub fn collect(&mut self) -> Option<Box<Window>> {
        self.shared.is_large.store(false, Ordering::Relaxed);
        if self.spare.is_none() {
            if let Some(window) = self.fetch() {
                return Some(window);
            }
            if self.shared.current.load(Ordering::Relaxed).is_null() {
                return None;
            }
            self.spare = self.retract();
        }
        let spare = self.spare.take()?;
        match self.exchange(spare) {
            Ok(window) => Some(window),
            Err(spare) => {
                self.post(spare);
                None
            }
        }
    }

    /// Returns a folded window as the next spare.
    pub fn give_back(&mut self, mut window: Box<Window>) {
        window.reset();
        self.spare = Some(window);
    }

    fn fetch(&self) -> Option<Box<Window>> {
        // ORDERING: Acquire pairs with the Release of `give`.
        take_out(&self.shared.full, Ordering::Acquire)
    }

    /// `None`: the worker was quicker and is about to leave its window.
    fn retract(&self) -> Option<Box<Window>> {
        // Our own window comes back, or nothing: nothing of the worker's to acquire.
        take_out(&self.shared.spare, Ordering::Relaxed)
    }

    /// The worker's idle window for the spare one; a busy worker: the spare comes back.
    fn exchange(&self, spare: Box<Window>) -> Result<Box<Window>, Box<Window>> {
        let current = &self.shared.current;
        let spare = disown(spare);
        loop {
            let seen = current.load(Ordering::Relaxed);
            if seen.is_null() {
                return Err(own(spare).expect("just disowned"));
            }
            // ORDERING: Acquire pairs with the Release of `give`, Release with the Acquire of `take`.
            let exchanged =
                current.compare_exchange(seen, spare, Ordering::AcqRel, Ordering::Relaxed);
            if exchanged.is_ok() {
                return Ok(own(seen).expect("checked above"));
            }
        }
    }

    fn post(&self, spare: Box<Window>) {
        // ORDERING: Release pairs with the Acquire of `give`.
        self.shared.spare.store(disown(spare), Ordering::Release);
    }
}

/// Takes a window out of a place, if there is one and nobody is quicker. Writes nothing otherwise.
fn take_out(place: &AtomicPtr<Window>, order: Ordering) -> Option<Box<Window>> {
    let seen = place.load(Ordering::Relaxed);
    if seen.is_null() {
        return None;
    }
    // ORDERING: the caller's.
    let taken = place.compare_exchange(seen, ptr::null_mut(), order, Ordering::Relaxed);
    taken.ok().and_then(own)
}

fn disown(window: Box<Window>) -> *mut Window {
    Box::into_raw(window)
}

/// The pointer must have been taken out of its place by a swap or a successful compare-exchange, so
/// that nobody else has it.
fn own(window: *mut Window) -> Option<Box<Window>> {
    if window.is_null() {
        return None;
    }
    // SAFETY: non-null pointers in this file come from `disown` only, and every caller either took
    // this one out of its place atomically or just made it: it is owned here and nowhere else.
    Some(unsafe { Box::from_raw(window) })
}
