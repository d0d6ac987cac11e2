//! Our own counters, logs and health.
//!
//! | file | purpose |
//! |---|---|
//! | `counters` | counters and gauges, sharded by worker; the registry that scrapes read |
//! | `log` | one structured line per event that matters, as the Collector writes them |
//! | `text_format` | numbers and quoted text of Prometheus's text formats |

pub mod counters;
pub mod log;
pub mod text_format;
