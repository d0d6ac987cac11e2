//! `processors.resource`: actions over the attributes of resources, once per distinct resource.

pub mod options;
