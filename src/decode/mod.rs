//! OTLP bytes in, record batches out, only the columns that the plan asks for.
//!
//! One hand-written walker goes over the protobuf wire once. What somebody asked for becomes a view
//! or a number in a column; what nobody looks at is checked for form only and builds nothing. No
//! I/O, no async, no clocks; no row objects and no generated code.
//!
//! | file | purpose |
//! |---|---|
//! | `traces` | the walker of trace requests, and the decoder that owns its columns |
//! | `columns` | the columns while they grow; how they become record batches and come back |
//! | `projection` | finds a wanted attribute by its key |
//! | `form` | checks messages that nobody looks at |
//! | `error` | why a request is no message |

mod columns;
mod error;
mod form;
mod projection;
mod traces;

pub use error::DecodeError;
pub use traces::{Appended, TraceDecoder};
