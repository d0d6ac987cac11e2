//! The text of an attribute value, as the Collector v0.128.0 writes it.
//!
//! A value comes in, bytes go out: text as it is, numbers in their shortest form, bytes as base64,
//! lists and maps as the compact JSON of Go's `encoding/json` (keys sorted, the last of equal keys,
//! `<`, `>` and `&` escaped, invalid UTF-8 replaced). Only text that stands alone may be other than
//! UTF-8. See the specification `collector-core` 4.5, "Value text".
//!
//! Runs where a label is born, not per row.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::any_value::{Value, array_values, key_values, read};

#[cfg(test)]
mod tests;

/// Plain notation from here ...
const PLAIN_FROM: f64 = 1e-6;
/// ... up to here, an exponent otherwise (ECMAScript, as Go's `encoding/json` does it).
const PLAIN_BELOW: f64 = 1e21;

/// NaN or an infinity inside a list or map: there is no JSON for it.
struct NoJson;

/// The text of `value`.
#[must_use]
pub fn text(value: Value<'_>) -> Vec<u8> {
    match value {
        Value::Empty => Vec::new(),
        Value::Str(text) => text.to_vec(),
        Value::Bool(bool) => bool.to_string().into_bytes(),
        Value::Int(int) => int.to_string().into_bytes(),
        Value::Double(double) => double_text(double).unwrap_or_else(|| {
            let name = match (double.is_nan(), double > 0.0) {
                (true, _) => "NaN",
                (false, true) => "+Inf",
                (false, false) => "-Inf",
            };
            format!("json: unsupported value: {name}").into_bytes()
        }),
        Value::Bytes(bytes) => STANDARD.encode(bytes).into_bytes(),
        Value::Array(_) | Value::KvList(_) => {
            let mut out = Vec::new();
            match put_json(&mut out, value) {
                Ok(()) => out,
                Err(NoJson) => Vec::new(),
            }
        }
    }
}

/// Shortest digits that read back equal; `None` for NaN and infinities.
fn double_text(double: f64) -> Option<Vec<u8>> {
    let size = double.abs();
    if !double.is_finite() {
        None
    } else if size == 0.0 || (PLAIN_FROM..PLAIN_BELOW).contains(&size) {
        Some(format!("{double}").into_bytes())
    } else {
        let text = format!("{double:e}");
        Some(if size < 1.0 {
            text.into_bytes()
        } else {
            text.replace('e', "e+").into_bytes()
        })
    }
}

/// Recursion ends with the nesting of the message, which the decoder bounds.
fn put_json(out: &mut Vec<u8>, value: Value<'_>) -> Result<(), NoJson> {
    match value {
        // Go's copy of no bytes is nil, and nil is null.
        Value::Empty | Value::Bytes([]) => out.extend_from_slice(b"null"),
        Value::Str(text) => put_json_string(out, text),
        Value::Bool(_) | Value::Int(_) => out.extend_from_slice(&text(value)),
        Value::Double(double) => out.extend_from_slice(&double_text(double).ok_or(NoJson)?),
        Value::Bytes(bytes) => put_json_string(out, STANDARD.encode(bytes).as_bytes()),
        Value::Array(list) => {
            out.push(b'[');
            for (index, cell) in array_values(list).enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                put_json(out, read(cell))?;
            }
            out.push(b']');
        }
        Value::KvList(list) => {
            let sorted: BTreeMap<&[u8], Cow<'_, [u8]>> = key_values(list)
                .map(|attribute| (attribute.key, attribute.value))
                .collect();
            out.push(b'{');
            for (index, (key, cell)) in sorted.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                put_json_string(out, key);
                out.push(b':');
                put_json(out, read(cell))?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn put_json_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            put_json_character(out, character);
        }
        for _ in chunk.invalid() {
            out.extend_from_slice(br"\ufffd");
        }
    }
    out.push(b'"');
}

fn put_json_character(out: &mut Vec<u8>, character: char) {
    let short = match character {
        '"' => br#"\""#,
        '\\' => br"\\",
        '\u{8}' => br"\b",
        '\u{c}' => br"\f",
        '\n' => br"\n",
        '\r' => br"\r",
        '\t' => br"\t",
        '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
            write!(out, "\\u{:04x}", u32::from(character)).expect("writing to a Vec cannot fail");
            return;
        }
        _ => {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return;
        }
    };
    out.extend_from_slice(short);
}
