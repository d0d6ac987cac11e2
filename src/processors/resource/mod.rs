//! `processors.resource`: actions over the attributes of resources, once per distinct resource.

pub mod options;

pub use options::ResourceOptions;
use crate::batch::TraceBatch;
pub struct ResourceProcessor;
impl ResourceProcessor { pub fn new(_o: ResourceOptions) -> Self { Self } pub fn process(&mut self, b: &TraceBatch) -> TraceBatch { b.clone() } }
pub fn rewrite(b: &[u8], _o: &ResourceOptions) -> Vec<u8> { b.to_vec() }
