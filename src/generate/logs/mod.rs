//! Log records: a mix of severities, with bodies, attributes and ids of traces.
//!
//! A scenario's kinds of records and its resources become a [`World`], a [`Maker`] per thread turns
//! request numbers into bytes, [`Totals`] adds up what was sent.
//!
//! | file | purpose |
//! |---|---|
//! | `plan` | kinds of records as they are asked for |
//! | `body` | what a record says |
//! | `world` | drawing and encoding of requests |
//! | `totals` | what was sent, added up |

mod body;
mod plan;
mod totals;
mod world;

pub use self::body::{Body, Template};
pub use self::plan::{Record, Severity};
pub use self::totals::{Content, Totals};
pub use self::world::{Maker, World};

#[cfg(test)]
mod tests;
