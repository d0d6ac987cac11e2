//! Durations as Go writes them: `1.5s`, `2h45m`, `-300ms`.
//!
//! A sign, then one or more numbers with a unit and perhaps a fraction; `0` needs no unit; there
//! are no days. The result is a count of nanoseconds in 64 bits with a sign.

use thiserror::Error;

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DurationError {
    #[error("not a duration")]
    NotADuration,
    #[error("a unit is missing")]
    MissingUnit,
    #[error("`{0}` is no unit")]
    UnknownUnit(String),
    #[error("more than 292 years")]
    TooLong,
}

/// The units, for messages.
pub const UNITS: &str = "ns, us, ms, s, m, h";

/// Nanoseconds of a duration in Go's syntax.
pub fn parse(text: &str) -> Result<i64, DurationError> {
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if unsigned == "0" {
        return Ok(0);
    }
    if unsigned.is_empty() {
        return Err(DurationError::NotADuration);
    }
    let mut total: u64 = 0;
    let mut rest = unsigned;
    while !rest.is_empty() {
        let (part_ns, after) = one_part(rest)?;
        total = total
            .checked_add(part_ns)
            .filter(|sum| *sum <= 1 << 63)
            .ok_or(DurationError::TooLong)?;
        rest = after;
    }
    if negative {
        Ok(0_i64.wrapping_sub_unsigned(total))
    } else {
        i64::try_from(total).map_err(|_| DurationError::TooLong)
    }
}

/// The first number with its unit, in nanoseconds, and what follows it.
fn one_part(text: &str) -> Result<(u64, &str), DurationError> {
    let (whole, after_whole) = split_digits(text);
    let (fraction, after_number) = match after_whole.strip_prefix('.') {
        Some(after_dot) => split_digits(after_dot),
        None => ("", after_whole),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(DurationError::NotADuration);
    }
    let unit_bytes = after_number
        .find(|character: char| character == '.' || character.is_ascii_digit())
        .unwrap_or(after_number.len());
    let (unit, rest) = after_number.split_at(unit_bytes);
    let unit_ns = unit_ns(unit)?;
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().map_err(|_| DurationError::TooLong)?
    };
    let whole_ns = whole.checked_mul(unit_ns).ok_or(DurationError::TooLong)?;
    // A fraction below one unit, of which digits below a nanosecond are cut off.
    let fraction_ns = if fraction.is_empty() {
        0
    } else {
        fraction_ns(fraction, unit_ns)
    };
    let part_ns = whole_ns
        .checked_add(fraction_ns)
        .filter(|sum| *sum <= 1 << 63)
        .ok_or(DurationError::TooLong)?;
    Ok((part_ns, rest))
}

fn split_digits(text: &str) -> (&str, &str) {
    let digits = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(digits)
}

/// Digits beyond the eighteenth weigh less than a nanosecond in any unit.
fn fraction_ns(digits: &str, unit_ns: u64) -> u64 {
    let kept = &digits[..digits.len().min(18)];
    let scale = 10_u128.pow(kept.len() as u32);
    let parts: u128 = kept.parse().expect("at most eighteen digits");
    u64::try_from(parts * u128::from(unit_ns) / scale).expect("less than one unit")
}

fn unit_ns(unit: &str) -> Result<u64, DurationError> {
    match unit {
        "ns" => Ok(1),
        // Both letters that look like a Greek mu.
        "us" | "\u{b5}s" | "\u{3bc}s" => Ok(1_000),
        "ms" => Ok(1_000_000),
        "s" => Ok(1_000_000_000),
        "m" => Ok(60_000_000_000),
        "h" => Ok(3_600_000_000_000),
        "" => Err(DurationError::MissingUnit),
        _ => Err(DurationError::UnknownUnit(unit.to_owned())),
    }
}
