//! YAML text in, located values and diagnostics out; knows no component.
//!
//! A file becomes a tree whose every key and value knows its place ([`parse`]), variables are laid
//! into it ([`expand`]), and each component reads its own block through a [`Section`], which never
//! stops at the first mistake. Mistakes gather in a [`Log`] and are shown together by a [`Report`].
//! Nothing here prints, exits or reads the environment.
//!
//! | file | purpose |
//! |---|---|
//! | `source` | the text, its name, and places in it |
//! | `node` | the located tree |
//! | `parse` | YAML events to the tree: anchors, merges, `::`, duplicate keys, limits |
//! | `scalar` | what a plain word is: the dialect of the Collector's YAML library |
//! | `duration` | Go's duration syntax |
//! | `expand` | `${env:NAME}` and its relatives |
//! | `section` | one block of the file, read key by key with types |
//! | `item` | one value of a list, or under a key of the user's own |
//! | `value` | a single value, read as the type that is wanted |
//! | `dormant` | keys that are checked without acting |
//! | `blocks` | key tables that several components share: TLS, HTTP server, HTTP client |
//! | `endpoint` | `host:port` |
//! | `nearest` | the word that was probably meant |
//! | `diagnostic` | one mistake or remark, and the list of them |
//! | `report` | all of them as text for a person |

pub mod blocks;
mod diagnostic;
mod dormant;
pub mod duration;
pub mod endpoint;
mod expand;
mod item;
mod nearest;
mod node;
mod parse;
mod report;
mod scalar;
mod section;
mod source;
mod value;

#[cfg(test)]
mod tests;

pub use diagnostic::{Code, Diagnostic, Log, Severity};
pub use dormant::{Key, Shape};
pub use expand::{Environment, expand};
pub use item::Item;
pub use nearest::nearest;
pub use node::{Entry, Node, Value};
pub use parse::parse;
pub use report::Report;
pub use scalar::{Plain, resolve};
pub use section::{Reading, Section};
pub use source::{ReadError, Source, Span};
