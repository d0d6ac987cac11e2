//! The goods on the line: Arrow record batches of the signals, and what can be read off a cell.
//!
//! | file | purpose |
//! |---|---|
//! | `traces` | the columns of a trace batch |
//! | `any_value` | reads and writes an attribute value as it stands on the wire |
//! | `value_text` | the text of an attribute value |
//! | `proto` | protobuf primitives: tags, varints, fields |
//! | `row_hash` | 128-bit keyed hash of a row, column by column |

pub mod any_value;
pub mod proto;
pub mod row_hash;
pub mod traces;
pub mod value_text;

pub use traces::{TraceBatch, TraceColumns, TraceLayout};
