//! What the actions do to one resource.
//!
//! The bytes of a `Resource` message come in and go out. In between its attributes are a list of
//! keys and cells that borrow from the message and from the configuration; fields that are no
//! attributes go behind the attributes as they were. Order and repeated keys follow the Collector
//! v0.128.0: a look-up finds the first entry, a removal moves the last one into the hole.
//!
//! Runs where a resource is seen for the first time.

use std::borrow::Cow;

use regex::bytes::Regex;

use super::convert;
use super::options::{Action, ValueSource};
use crate::batch::any_value::{Value, encode, key_value, put_key_value, read};
use crate::batch::proto::{BYTES, NESTING_MAX, Reader, Tag};

const ATTRIBUTE: Tag = Tag::new(1, BYTES);

/// The resource after all actions, in order.
pub(super) fn apply(actions: &[Action], resource: &[u8]) -> Vec<u8> {
    let mut edited = Edited::read(resource);
    for action in actions {
        edited.apply(action);
    }
    edited.write(resource.len())
}

/// A resource while it is rewritten.
struct Edited<'a> {
    attributes: Vec<Attribute<'a>>,
    /// Fields that are no attributes, each with its tag.
    others: Vec<&'a [u8]>,
}

struct Attribute<'a> {
    key: Cow<'a, [u8]>,
    cell: Cow<'a, [u8]>,
}

impl<'a> Edited<'a> {
    /// Reads as far as the message is good; the decoder has checked it.
    fn read(resource: &'a [u8]) -> Self {
        let mut edited = Self {
            attributes: Vec::new(),
            others: Vec::new(),
        };
        let mut reader = Reader::new(resource);
        while !reader.is_done() {
            let start = reader.at();
            let Ok(tag) = reader.tag() else { break };
            if tag == ATTRIBUTE {
                let Ok(message) = reader.bytes() else { break };
                let attribute = key_value(message);
                edited.attributes.push(Attribute {
                    key: Cow::Borrowed(attribute.key),
                    cell: attribute.value,
                });
            } else if reader.skip(tag, NESTING_MAX).is_ok() {
                edited.others.push(&resource[start..reader.at()]);
            } else {
                break;
            }
        }
        edited
    }

    fn write(&self, bytes_hint: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes_hint);
        for attribute in &self.attributes {
            put_key_value(&mut out, &attribute.key, &attribute.cell);
        }
        for other in &self.others {
            out.extend_from_slice(other);
        }
        out
    }

    fn apply(&mut self, action: &'a Action) {
        match action {
            Action::Insert { key, value } => {
                if let Some(cell) = self.source(value)
                    && self.position(key.as_bytes()).is_none()
                {
                    self.append(key.as_bytes(), cell);
                }
            }
            Action::Update { key, value } => {
                if let Some(cell) = self.source(value)
                    && let Some(index) = self.position(key.as_bytes())
                {
                    self.attributes[index].cell = cell;
                }
            }
            Action::Upsert { key, value } => {
                if let Some(cell) = self.source(value) {
                    self.put(key.as_bytes(), cell);
                }
            }
            Action::Delete { key, pattern } => {
                self.for_each_key(key.as_deref(), pattern.as_ref(), Self::remove);
            }
            Action::Hash { key, pattern } => {
                self.for_each_key(key.as_deref(), pattern.as_ref(), |edited, key| {
                    edited.replace(key, |value| Some(encode(Value::Str(&convert::hash(value)))));
                });
            }
            Action::Extract { key, pattern } => self.extract(key.as_bytes(), pattern),
            Action::Convert { key, to } => {
                self.replace(key.as_bytes(), |value| convert::convert(value, *to));
            }
        }
    }

    /// The cell to write; `None`: the action does nothing.
    fn source(&self, source: &'a ValueSource) -> Option<Cow<'a, [u8]>> {
        match source {
            ValueSource::Value(cell) => Some(Cow::Borrowed(cell)),
            ValueSource::FromAttribute(key) => {
                let index = self.position(key.as_bytes())?;
                Some(self.attributes[index].cell.clone())
            }
            // Needs what the client said beside the request, which does not travel in a batch.
            ValueSource::FromContext(_) => None,
        }
    }

    fn position(&self, key: &[u8]) -> Option<usize> {
        let mut attributes = self.attributes.iter();
        attributes.position(|attribute| *attribute.key == *key)
    }

    fn append(&mut self, key: &'a [u8], cell: Cow<'a, [u8]>) {
        let key = Cow::Borrowed(key);
        self.attributes.push(Attribute { key, cell });
    }

    fn put(&mut self, key: &'a [u8], cell: Cow<'a, [u8]>) {
        match self.position(key) {
            Some(index) => self.attributes[index].cell = cell,
            None => self.append(key, cell),
        }
    }

    fn remove(&mut self, key: &[u8]) {
        if let Some(index) = self.position(key) {
            self.attributes.swap_remove(index);
        }
    }

    fn replace(&mut self, key: &[u8], with: impl FnOnce(Value<'_>) -> Option<Vec<u8>>) {
        if let Some(index) = self.position(key) {
            let cell = &mut self.attributes[index].cell;
            if let Some(replaced) = with(read(cell)) {
                *cell = Cow::Owned(replaced);
            }
        }
    }

    /// Calls `act` with the key, then with each key that the pattern matches at that time. A key
    /// that was not given is the empty key, as in the Collector.
    fn for_each_key(
        &mut self,
        key: Option<&str>,
        pattern: Option<&Regex>,
        act: impl Fn(&mut Self, &[u8]),
    ) {
        act(self, key.unwrap_or_default().as_bytes());
        let Some(pattern) = pattern else { return };
        let keys = self.attributes.iter().map(|attribute| &attribute.key);
        let matching: Vec<_> = keys.filter(|key| pattern.is_match(key)).cloned().collect();
        for key in matching {
            act(self, &key);
        }
    }

    /// Each group becomes an attribute of the group's name, an empty one if it took no part.
    fn extract(&mut self, key: &[u8], pattern: &'a Regex) {
        let Some(index) = self.position(key) else {
            return;
        };
        let cell = self.attributes[index].cell.clone();
        let Value::Str(text) = read(&cell) else {
            return;
        };
        let Some(groups) = pattern.captures(text) else {
            return;
        };
        for (name, group) in pattern.capture_names().zip(groups.iter()) {
            if let Some(name) = name {
                let text = group.map_or(&b""[..], |group| group.as_bytes());
                self.put(name.as_bytes(), Cow::Owned(encode(Value::Str(text))));
            }
        }
    }
}
