//! What runs beside the pipelines.

pub mod zpages;
