//! The border between OpenTelemetry's names and Prometheus's names. Crossed once, at a series' birth.
//!
//! | file | purpose |
//! |---|---|
//! | `stream` | what a connector puts out, in OTLP words: the metrics and identity of a table's cells |
//! | `metric` | metric name, unit and namespace -> family name |
//! | `label` | attribute key -> label name |
//! | `target` | resource attributes -> `job` and `instance` |
//!
//! Pure functions. The rules are those of the Collector v0.128.0, whose translator knows Unicode
//! letters; what reaches the wire is ASCII, since the legacy escaping comes after translation.

pub mod label;
pub mod metric;
pub mod stream;
pub mod target;

#[cfg(test)]
mod tests;

/// A letter (category L) or decimal digit (Nd) as the translator sees it.
///
/// The standard library has no general categories: marks that count as alphabetic and digits such as
/// a superscript two are taken too. They all leave as `_`; only whether a run of them counts as one
/// separator differs.
fn is_word(c: char) -> bool {
    c.is_alphanumeric()
}

/// The wire form under the legacy escaping: what is not ASCII of the legacy set becomes `_`, also a
/// digit in first place. `colon`: metric names may hold it, label names may not (Prometheus 2.42
/// refuses the whole scrape).
fn escape_legacy(name: &str, colon: bool) -> String {
    name.chars()
        .enumerate()
        .map(|(index, c)| match c {
            'a'..='z' | 'A'..='Z' | '_' => c,
            '0'..='9' if index > 0 => c,
            ':' if colon => c,
            _ => '_',
        })
        .collect()
}
