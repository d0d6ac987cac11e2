//! Threads: how many, what they run, how they stop, and the one clock.
//!
//! A worker is one thread with a `current_thread` runtime. It owns its connections and a
//! [`Station`]: the pipeline's compiled path from request bytes to a window. Receivers hand a
//! worker complete bodies; the worker runs what is ready as one batch and every request is
//! answered when its run has ended.
//!
//! | file | purpose |
//! |---|---|
//! | `count` | how many workers the machine allows |
//! | `cgroup` | reads what the machine allows |
//! | `clock` | the one clock |
//! | `budget` | the byte budget that all requests share |
//! | `request` | what a receiver hands over, and the answer |
//! | `listen` | an endpoint becomes a listening socket |
//! | `queue` | what is ready, what is run together, what is given away |
//! | `crew` | what the threads share: seats, the shared queue, the dealer of connections |
//! | `worker` | one worker from inside its thread |
//! | `threads` | start, stop, join |
//! | `web` | the small HTTP server of scrapes and pages |
//! | `web_answer` | what its handlers give |
//! | `web_io` | its time limits, and the moment when an answer has left |

pub mod budget;
pub mod cgroup;
pub mod clock;
pub mod count;
mod crew;
pub mod listen;
mod queue;
pub mod request;
mod threads;
pub mod web;
mod web_answer;
mod web_io;
mod worker;

pub use crew::{Connection, Dealer};
pub use queue::{BYTES_PER_RUN_MAX, REQUESTS_PER_RUN_MAX};
pub use request::{Outcome, Request, Signal, Station};
pub use threads::{BuildStation, WorkerOptions, Workers, WorkersPanicked};
pub use worker::Worker;
