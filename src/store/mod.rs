//! Windows in, cells under an identity out. One folder thread is the only writer.
//!
//! | file | purpose |
//! |---|---|
//! | `window` | what a worker gathered since the last fold |
//! | `handover` | how a window changes hands between a worker and the folder, without a lock |
//! | `folder` | adds windows to cells; births; expiry |
//! | `births` | a group's identity becomes a cell, many to one |
//! | `expiry` | which cells and resources go, and when |
//! | `snapshot` | a cut through all cells that readers keep as long as they like |
//!
//! Knows neither arrow nor tokio, has no clock (times are arguments) and no text (identities are bytes).

pub mod snapshot;
pub mod window;
