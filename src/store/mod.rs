//! Windows in, cells under an identity out. One folder thread is the only writer.
//!
//! | file | purpose |
//! |---|---|
//! | `window` | what a worker gathered since the last fold |
//! | `handover` | how a window changes hands between a worker and the folder, without a lock |
//! | `sync` | the atomics of `handover`: the standard library's, or loom's |
//! | `folder` | adds windows to cells; ticks; snapshots |
//! | `folder_thread` | when to fold, and who asks for it |
//! | `births` | a group's identity becomes a cell, many to one |
//! | `cells` | the cells of one table and the index from identity to cell |
//! | `expiry` | which resources go, and when |
//! | `snapshot` | a cut through all cells that readers keep as long as they like |
//! | `counts` | what the store tells about itself |
//!
//! Knows neither arrow nor tokio, has no clock (times are arguments) and no text (identities are bytes).

mod births;
mod cells;
pub mod counts;
pub mod expiry;
pub mod folder;
pub mod folder_thread;
pub mod handover;
pub mod snapshot;
mod sync;
pub mod window;
