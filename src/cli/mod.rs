//! cli
pub mod demo;
pub mod generate;
