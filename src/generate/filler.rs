//! Attributes that nobody asks for: the larger part of every real span.
//!
//! Keys are those of real instrumentations, values are words of a load's own; the last attribute
//! takes whatever room is left, so that a span has the size that was asked for.

use super::random::Random;
use super::value::Attribute;
use super::wire::put_attribute;

/// Key and length of the value.
const COMMON: [(&str, usize); 14] = [
    ("user_agent.original", 64),
    ("url.scheme", 5),
    ("network.peer.address", 14),
    ("network.protocol.version", 3),
    ("thread.name", 22),
    ("code.function.name", 38),
    ("url.path", 34),
    ("client.address", 14),
    ("db.system.name", 10),
    ("db.query.text", 76),
    ("db.collection.name", 12),
    ("network.local.address", 26),
    ("enduser.scope", 18),
    ("code.file.path", 30),
];

/// Keys for what is left, the first that is free.
const REST_KEYS: [&str; 2] = ["url.query", "spanmill.filler"];
/// Bytes of the rest's attribute that are no value: tags, lengths of two bytes, key.
const REST_OVERHEAD_BYTES: usize = 15 + REST_KEYS[0].len();

/// Attributes whose encoding takes about `room_bytes`; none when there is too little room for one.
/// Keys that the span has are left out.
pub(super) fn attributes(
    random: &mut Random,
    room_bytes: usize,
    is_taken: impl Fn(&str) -> bool,
) -> Vec<Attribute> {
    let mut attributes = Vec::new();
    let mut room = room_bytes;
    for (key, length) in COMMON.into_iter().filter(|(key, _)| !is_taken(key)) {
        let attribute = Attribute::text(key, words(random, length));
        let mut encoded = Vec::new();
        put_attribute(&mut encoded, 9, &attribute);
        if encoded.len() > room {
            break;
        }
        room -= encoded.len();
        attributes.push(attribute);
    }
    let rest_key = REST_KEYS.into_iter().find(|key| !is_taken(key));
    if let Some(key) = rest_key.filter(|_| room > REST_OVERHEAD_BYTES) {
        let text = words(random, room - REST_OVERHEAD_BYTES);
        attributes.push(Attribute::text(key, text));
    }
    attributes
}

/// Text of this length that compresses about as well as real text does.
fn words(random: &mut Random, length: usize) -> String {
    const PARTS: [&str; 16] = [
        "order", "item", "com", "shop", "user", "/", ".", "id=", "v1", "main", "select", "from",
        "-", "cart", "exec", "_",
    ];
    let mut text = String::with_capacity(length + 8);
    while text.len() < length {
        if random.chance(0.25) {
            text.push_str(&random.below(10_000).to_string());
        }
        text.push_str(PARTS[random.below(PARTS.len() as u32) as usize]);
    }
    text.truncate(length);
    text
}
