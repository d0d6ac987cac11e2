//! The OTLP receiver: gRPC and HTTP sockets in, complete inflated bodies out. Never looks inside them.

pub mod options;
