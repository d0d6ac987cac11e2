//! One value becomes another: `hash` and `convert`, as the Collector v0.128.0 does them.
//!
//! Numbers in text follow Go's `strconv`, but for hexadecimal floating-point text, which stays text.

use sha2::{Digest, Sha256};

use super::options::ConvertedType;
use crate::batch::any_value::{Value, encode};
use crate::batch::value_text::text;

/// What `hash` writes: SHA-256 in lower-case hexadecimal; nothing for what has no bytes to hash.
pub(super) fn hash(value: Value<'_>) -> Vec<u8> {
    let digest = |bytes: &[u8]| -> Vec<u8> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let nibbles = |byte: u8| [byte >> 4, byte & 15];
        let digest = Sha256::digest(bytes);
        let nibbles = digest.iter().flat_map(|byte| nibbles(*byte));
        nibbles.map(|nibble| DIGITS[usize::from(nibble)]).collect()
    };
    match value {
        Value::Str(b"") | Value::Empty | Value::Bytes(_) | Value::Array(_) | Value::KvList(_) => {
            Vec::new()
        }
        Value::Str(text) => digest(text),
        Value::Bool(bool) => digest(&[u8::from(bool)]),
        Value::Int(int) => digest(&int.to_le_bytes()),
        Value::Double(double) => digest(&double.to_bits().to_le_bytes()),
    }
}

/// The cell of the converted value; `None`: it stays as it is.
pub(super) fn convert(value: Value<'_>, to: ConvertedType) -> Option<Vec<u8>> {
    let converted = match (to, value) {
        (ConvertedType::String, Value::Str(_)) => return None,
        (ConvertedType::String, _) => return Some(encode(Value::Str(&text(value)))),
        (ConvertedType::Int, Value::Double(double)) => Value::Int(cut(double)),
        (ConvertedType::Int, Value::Bool(bool)) => Value::Int(i64::from(bool)),
        (ConvertedType::Int, Value::Str(text)) => {
            Value::Int(std::str::from_utf8(text).ok()?.parse().ok()?)
        }
        // The nearest double, as in Go.
        (ConvertedType::Double, Value::Int(int)) => Value::Double(int as f64),
        (ConvertedType::Double, Value::Bool(bool)) => Value::Double(f64::from(u8::from(bool))),
        (ConvertedType::Double, Value::Str(text)) => Value::Double(parse_double(text)?),
        (ConvertedType::Int | ConvertedType::Double, _) => return None,
    };
    Some(encode(converted))
}

/// Go's conversion on x86-64: what does not fit becomes the least integer.
fn cut(double: f64) -> i64 {
    const LEAST: f64 = -9_223_372_036_854_775_808.0;
    if (LEAST..-LEAST).contains(&double) {
        // The fraction is cut off, which is meant.
        double as i64
    } else {
        i64::MIN
    }
}

/// Decimal floating-point text: `_` may stand between digits, names of infinity in any case, no
/// sign before NaN. A number that is too large is no number.
fn parse_double(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    for (index, byte) in text.bytes().enumerate() {
        let before = index
            .checked_sub(1)
            .and_then(|index| text.as_bytes().get(index));
        if byte == b'_' && !(digit(before) && digit(text.as_bytes().get(index + 1))) {
            return None;
        }
    }
    let double: f64 = text.replace('_', "").parse().ok()?;
    let named = text.contains(['n', 'N']);
    let signed = text.starts_with(['+', '-']);
    match (double.is_finite(), named) {
        (true, _) => Some(double),
        (false, true) => (!double.is_nan() || !signed).then_some(double),
        (false, false) => None,
    }
}
