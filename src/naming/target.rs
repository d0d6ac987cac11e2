//! Resource attributes in, `job` and `instance` out.

use super::stream::Attribute;

/// Attributes that make `job` and `instance` and are left out of `target_info`.
pub const SERVICE_KEYS: [&[u8]; 3] = [SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_INSTANCE_ID];

const SERVICE_NAME: &[u8] = b"service.name";
const SERVICE_NAMESPACE: &[u8] = b"service.namespace";
const SERVICE_INSTANCE_ID: &[u8] = b"service.instance.id";

/// `service.name`, behind `service.namespace` and a slash when that exists, also when it is empty.
/// No `service.name`: no job.
#[must_use]
pub fn job(resource: &[Attribute]) -> Option<Vec<u8>> {
    let name = first(resource, SERVICE_NAME)?;
    Some(match first(resource, SERVICE_NAMESPACE) {
        Some(namespace) => [namespace, name].join(&b'/'),
        None => name.to_vec(),
    })
}

/// `service.instance.id`.
#[must_use]
pub fn instance(resource: &[Attribute]) -> Option<Vec<u8>> {
    first(resource, SERVICE_INSTANCE_ID).map(<[u8]>::to_vec)
}

/// Of a key that is there twice, the first one counts.
fn first<'a>(resource: &'a [Attribute], key: &[u8]) -> Option<&'a [u8]> {
    resource
        .iter()
        .find(|attribute| attribute.key == key)
        .map(|attribute| attribute.text.as_slice())
}
