//! Sockets in, complete request bodies out.

pub mod otlp;
