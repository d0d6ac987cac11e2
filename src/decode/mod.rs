//! OTLP bytes in, record batches out, only the columns that the plan asks for.
