//! One block of the file, read key by key.
//!
//! A component asks for each key it knows, by type and with a default; what does not fit is
//! reported with its place and the default goes on. Keys nobody asked for are reported in the end,
//! with the nearest one that exists. Absent and null differ as in the Collector: an absent key has
//! its default, a null number, bool, text or duration is zero, a null list, map or block is as if
//! absent.

use std::time::Duration;

use super::diagnostic::{Code, Diagnostic, Log};
use super::item::{Item, refuse_misfit, span_of_entry, span_of_item};
use super::nearest::nearest;
use super::node::{Entry, Node, Value};
use super::scalar::Plain;
use super::source::Span;
use super::value::{self, Misfit};

/// Keys listed in a message when none is near; more are cut.
const KEYS_SHOWN_MAX: usize = 12;

/// What every reader of options shares.
#[derive(Debug, Default)]
pub struct Reading {
    pub log: Log,
    /// Feature gates that are on.
    pub gates: Vec<&'static str>,
}

/// A map of the file, or the null that stands in its place.
pub struct Section<'a> {
    reading: &'a Reading,
    path: String,
    /// Its key in the file.
    place: Span,
    entries: &'a [Entry],
    known: Vec<&'static str>,
    /// Keys whose value was refused already, so that nothing more is said of them.
    refused: Vec<&'static str>,
    /// The whole block was refused already.
    is_refused: bool,
}

impl<'a> Section<'a> {
    /// Reads a block and reports the keys that `read` did not ask for.
    pub fn read<T>(
        reading: &'a Reading,
        path: String,
        place: Span,
        node: &'a Node,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let is_refused = !matches!(node.value, Value::Null | Value::Map(_));
        if is_refused && !matches!(node.value, Value::Refused) {
            let span = if node.is_scalar() { node.span } else { place };
            reading.log.push(
                Diagnostic::error(
                    Code::WrongType,
                    span,
                    format!("`{path}` wants a map, found {}", value::describe(node)),
                )
                .label("keys with values, indented below the name"),
            );
        }
        let mut section = Self {
            reading,
            path,
            place,
            entries: node.entries(),
            known: Vec::new(),
            refused: Vec::new(),
            is_refused,
        };
        let read = read(&mut section);
        section.refuse_unknown_keys();
        #[cfg(test)]
        reading
            .log
            .known
            .borrow_mut()
            .push((section.path, section.known));
        read
    }

    /// `exporters.prometheus`
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path of a key in this block.
    #[must_use]
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// For blocks inside of lists and of maps of the user's own words; see [`Section::read`].
    #[must_use]
    pub fn reading(&self) -> &'a Reading {
        self.reading
    }

    #[must_use]
    pub fn log(&self) -> &'a Log {
        &self.reading.log
    }

    #[must_use]
    pub fn gate_is_on(&self, gate: &str) -> bool {
        self.reading.gates.contains(&gate)
    }

    /// Where the block's own key stands.
    #[must_use]
    pub fn place(&self) -> Span {
        self.place
    }

    /// The entry of a key, which is thereby known. What was refused already is as if absent.
    pub fn entry(&mut self, key: &'static str) -> Option<&'a Entry> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        if matches!(entry.node.value, Value::Refused) {
            self.refused.push(key);
            return None;
        }
        Some(entry)
    }

    /// Whether a key stands in the file, with whatever value. It is thereby known.
    pub fn is_given(&mut self, key: &'static str) -> bool {
        self.entry(key);
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// All entries of a map whose keys are the user's own words.
    pub fn all_entries(&mut self) -> &'a [Entry] {
        std::mem::take(&mut self.entries)
    }

    /// All values of a map whose keys are the user's own words.
    pub fn all_items(&mut self) -> impl Iterator<Item = (&'a str, Item<'a>)> + use<'a> {
        let path = self.path.clone();
        self.all_entries().iter().map(move |entry| {
            let path = format!("{path}.{}", entry.key);
            let item = Item::new(path, &entry.node, span_of_entry(entry));
            (entry.key.as_str(), item)
        })
    }

    /// Where to point for a key: its value if there is one in one line, else the key, else the
    /// block.
    #[must_use]
    pub fn span_of(&self, key: &str) -> Span {
        self.entries
            .iter()
            .find(|entry| entry.key == key)
            .map_or(self.place, span_of_entry)
    }

    /// Reports a value that its type allows and its meaning does not. One mistake at one key is
    /// enough, so a value that was refused before is not reported again.
    pub fn refuse(&self, key: &str, code: Code, message: impl Into<String>, label: &str) {
        if !self.is_refused && !self.refused.contains(&key) {
            self.log()
                .push(Diagnostic::error(code, self.span_of(key), message).label(label));
        }
    }

    /// The same without stopping the start.
    pub fn warn(&self, key: &str, code: Code, message: impl Into<String>, label: &str) {
        self.log()
            .push(Diagnostic::warning(code, self.span_of(key), message).label(label));
    }

    /// Keys that came after the version of the Collector whose keys are read here.
    pub fn later_keys(&mut self, keys: &[&'static str]) {
        for key in keys {
            let label = "later versions of the Collector have it; it is not here yet";
            self.absent_key(key, Code::NotYet, label);
        }
    }

    /// A key that people write and that is none: says what to write.
    pub fn absent_key(&mut self, key: &'static str, code: Code, label: &str) {
        if let Some(entry) = self.entries.iter().find(|entry| entry.key == key) {
            self.log().push(
                Diagnostic::error(
                    code,
                    entry.key_span,
                    format!("{} has no key `{key}`", self.title()),
                )
                .label(label),
            );
            // Known, so that it is not reported twice; never offered, since it is present.
            self.known.push(key);
        }
    }

    pub fn string(&mut self, key: &'static str, default: &str) -> String {
        self.scalar(key, "text", default.to_owned(), value::text)
    }

    /// Text that may be left out, which differs from an empty one.
    pub fn optional_string(&mut self, key: &'static str) -> Option<String> {
        let entry = self.entry(key)?;
        if entry.node.is_null() && entry.node.raw.is_none() {
            return None;
        }
        self.scalar(key, "text", None, |node| value::text(node).map(Some))
    }

    pub fn bool(&mut self, key: &'static str, default: bool) -> bool {
        self.scalar(key, "`true` or `false`", default, value::bool)
    }

    /// A number between `least` and `most`; a fraction is cut.
    pub fn integer(&mut self, key: &'static str, default: i64, least: i64, most: i64) -> i64 {
        self.scalar(key, "a whole number", default, |node| {
            value::integer(node, least, most)
        })
    }

    pub fn unsigned(&mut self, key: &'static str, default: u32) -> u32 {
        let number = self.integer(key, i64::from(default), 0, i64::from(u32::MAX));
        u32::try_from(number).expect("read within the bounds of u32")
    }

    pub fn float(&mut self, key: &'static str, default: f64) -> f64 {
        self.scalar(key, "a number", default, value::float)
    }

    /// Nanoseconds. A bare number is taken for nanoseconds, as the Collector does, with a warning.
    pub fn duration_ns(&mut self, key: &'static str, default: i64) -> i64 {
        let Some(entry) = self.entry(key) else {
            return default;
        };
        let path = self.path_of(key);
        match value::duration(&entry.node) {
            Ok(read) => {
                if read.is_bare && read.ns != 0 {
                    self.log().push(
                        Diagnostic::warning(
                            Code::BareNumber,
                            span_of_entry(entry),
                            format!("`{path}` is {} nanoseconds", read.ns),
                        )
                        .label(format!("a bare number has no unit: `{}s`?", read.ns)),
                    );
                }
                read.ns
            }
            Err(misfit) => {
                self.misfit(key, "a duration", entry, misfit);
                default
            }
        }
    }

    /// A duration that cannot be below zero.
    pub fn duration(&mut self, key: &'static str, default: Duration) -> Duration {
        let default_ns = i64::try_from(default.as_nanos()).unwrap_or(i64::MAX);
        let ns = self.duration_ns(key, default_ns);
        u64::try_from(ns).map_or_else(
            |_| {
                let message = format!("`{}` is negative", self.path_of(key));
                self.refuse(key, Code::OutOfRange, message, "0 or more");
                default
            },
            Duration::from_nanos,
        )
    }

    /// A duration where zero, and less, means for ever or never.
    pub fn limit(&mut self, key: &'static str) -> Option<Duration> {
        let ns = u64::try_from(self.duration_ns(key, 0)).ok()?;
        (ns > 0).then_some(Duration::from_nanos(ns))
    }

    /// One of a few words, in any case if `fold_case`. Null is the default.
    pub fn word(
        &mut self,
        key: &'static str,
        default: &'static str,
        words: &[&'static str],
        fold_case: bool,
    ) -> &'static str {
        if self.entry(key).is_none_or(|entry| entry.node.is_null()) {
            return default;
        }
        let text = self.string(key, default);
        let folded = if fold_case {
            text.to_lowercase()
        } else {
            text.clone()
        };
        if let Some(word) = words.iter().find(|word| **word == folded) {
            return word;
        }
        let words = || words.iter().copied().filter(|word| !word.is_empty());
        let label = match nearest(&text, words()) {
            Some(word) => format!("did you mean `{word}`?"),
            None if words().count() == 1 => format!("only {}", listed(words())),
            None => format!("one of {}", listed(words())),
        };
        let message = format!(
            "`{}` cannot be `{}`",
            self.path_of(key),
            value::shown(&text)
        );
        self.refuse(key, Code::Value, message, &label);
        default
    }

    /// A list of texts; one text is split at its commas. `None`: absent or null.
    pub fn strings(&mut self, key: &'static str) -> Option<Vec<String>> {
        let entry = self.entry(key)?;
        if entry.node.is_scalar() && value::plain(&entry.node) == Plain::Text {
            let text = self.string(key, "");
            return Some(match text.as_str() {
                "" => Vec::new(),
                text => text.split(',').map(str::to_owned).collect(),
            });
        }
        let items = self.items(key)?;
        Some(items.filter_map(|item| item.text(self.log())).collect())
    }

    /// A map whose keys are the user's words, in the order of the file.
    pub fn string_map(&mut self, key: &'static str) -> Vec<(String, String)> {
        self.optional_string_map(key)
            .into_iter()
            .map(|(key, text)| (key, text.unwrap_or_default()))
            .collect()
    }

    /// The same with values that may be null.
    pub fn optional_string_map(&mut self, key: &'static str) -> Vec<(String, Option<String>)> {
        self.section(key, |map| {
            map.all_items()
                .map(|(key, item)| {
                    let is_null = item.node.is_null() && item.node.raw.is_none();
                    let text = if is_null { None } else { item.text(map.log()) };
                    (key.to_owned(), text)
                })
                .collect()
        })
        .unwrap_or_default()
    }

    /// A nested block. `None`: the key is absent; a null block is there with its defaults.
    pub fn section<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Section<'a>) -> T,
    ) -> Option<T> {
        let entry = self.entry(key)?;
        if !matches!(entry.node.value, Value::Null | Value::Map(_)) {
            self.refused.push(key);
        }
        Some(self.nested(self.path_of(key), entry, read))
    }

    /// The block of an entry whose key is the user's own word.
    pub fn nested<T>(
        &self,
        path: String,
        entry: &'a Entry,
        read: impl FnOnce(&mut Section<'a>) -> T,
    ) -> T {
        Section::read(self.reading, path, entry.key_span, &entry.node, read)
    }

    /// A nested block that is off when null.
    pub fn given_section<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Section<'a>) -> T,
    ) -> Option<T> {
        if self.entry(key)?.node.is_null() {
            return None;
        }
        self.section(key, read)
    }

    /// A list of blocks.
    pub fn sections<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&mut Section<'a>) -> T,
    ) -> Option<Vec<T>> {
        let reading = self.reading;
        let items = self.items(key)?;
        Some(
            items
                .map(|item| Section::read(reading, item.path, item.span, item.node, &mut read))
                .collect(),
        )
    }

    /// The items of a list. `None`: the key is absent, null, or no list, which is reported.
    pub fn items(&mut self, key: &'static str) -> Option<impl Iterator<Item = Item<'a>> + use<'a>> {
        let entry = self.entry(key)?;
        let path = self.path_of(key);
        match &entry.node.value {
            Value::Seq(items) => {
                let key_span = entry.key_span;
                Some(items.iter().enumerate().map(move |(index, node)| {
                    let path = format!("{path}[{index}]");
                    Item::new(path, node, span_of_item(node, key_span))
                }))
            }
            Value::Null => None,
            _ => {
                let misfit = value::wrong("a list: `[a, b]`, or one `- item` a line");
                self.misfit(key, "a list", entry, misfit);
                None
            }
        }
    }

    fn scalar<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        default: T,
        read: impl FnOnce(&Node) -> Result<T, Misfit>,
    ) -> T {
        let Some(entry) = self.entry(key) else {
            return default;
        };
        read(&entry.node).unwrap_or_else(|misfit| {
            self.misfit(key, wanted, entry, misfit);
            default
        })
    }

    fn misfit(&mut self, key: &'static str, wanted: &str, entry: &Entry, misfit: Misfit) {
        self.refused.push(key);
        let path = self.path_of(key);
        let span = span_of_entry(entry);
        refuse_misfit(self.log(), &path, wanted, &entry.node, span, misfit);
    }

    fn title(&self) -> String {
        if self.path.is_empty() {
            "the configuration".to_owned()
        } else {
            format!("`{}`", self.path)
        }
    }

    fn refuse_unknown_keys(&self) {
        for entry in self.entries {
            if self.known.contains(&entry.key.as_str()) {
                continue;
            }
            let label = match nearest(&entry.key, self.known.iter().copied()) {
                Some(key) => format!("did you mean `{key}`?"),
                None if self.known.is_empty() => "no keys belong here".to_owned(),
                None => format!("its keys are {}", listed(self.known.iter().copied())),
            };
            let message = format!("{} has no key `{}`", self.title(), value::shown(&entry.key));
            self.log()
                .push(Diagnostic::error(Code::UnknownKey, entry.key_span, message).label(label));
        }
    }
}

/// Words for a message: "`a`, `b`, `c`".
fn listed<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let mut words: Vec<&str> = words.collect();
    let more = if words.len() > KEYS_SHOWN_MAX {
        ", ..."
    } else {
        ""
    };
    words.truncate(KEYS_SHOWN_MAX);
    format!("`{}`{more}", words.join("`, `"))
}
