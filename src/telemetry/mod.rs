//! Our own counters, logs and health.
//!
//! | file | purpose |
//! |---|---|
//! | `counters` | counters and gauges, sharded by worker; the registry that scrapes read |
//! | `exposition` | the registry as text |
//! | `log` | one structured line per event that matters, as the Collector writes them |
//! | `padded` | values on cache lines of their own |
//! | `random` | random bits of the system |
//! | `process` | what the kernel knows of this process |
//! | `text_format` | numbers and quoted text of Prometheus's text formats |

pub mod counters;
pub mod exposition;
pub mod log;
pub mod padded;
pub mod process;
pub mod random;
pub mod text_format;
