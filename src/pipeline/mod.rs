//! The parsed configuration in, a running graph out.
//!
//! | file | purpose |
//! |---|---|
//! | `components` | the one table of every component |
//! | `elsewhere` | components that the Collector has and we do not |
//! | `settings` | the user's file, checked and settled |
//! | `plan` | who feeds whom, and which columns that takes |
//! | `views` | a connector's streams on their way to an exporter |
//! | `run` | the path of a request on a worker |
//! | `lane` | one worker's path alone, for benches |
//! | `build` | the plan becomes sockets, stations, a store |
//! | `readers` | snapshots and counts of the store for those who show them |
//! | `servers` | the small web servers of the graph |
//! | `lifecycle` | start, serve, drain |
//! | `error` | what can stop a start |

mod build;
pub mod components;
mod elsewhere;
mod error;
pub mod lane;
pub mod lifecycle;
pub mod plan;
mod readers;
mod run;
mod servers;
pub mod settings;
mod views;

pub use error::StartError;
