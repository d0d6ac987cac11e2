//! Durations as the Collector's configuration writes them: `1h30m`, `1.5s`, `20ms`, `5us`.

use std::time::Duration;

/// Nanoseconds of each unit.
const UNITS: [(&str, f64); 6] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 6e10),
    ("h", 3.6e12),
];

/// # Errors
/// When `text` is no sequence of numbers with units, or is longer than 584 years.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    const WRONG: &str = "a duration is a number with a unit, as 1.5s, 20ms or 1h30m";
    let mut rest = text;
    let mut nanos = 0.0;
    while !rest.is_empty() {
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let (number, tail) = rest.split_at(rest.find(|c| !is_number(c)).ok_or(WRONG)?);
        let (word, tail) = tail.split_at(tail.find(is_number).unwrap_or(tail.len()));
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == word).ok_or(WRONG)?;
        nanos += number.parse::<f64>().map_err(|_| WRONG)? * unit;
        rest = tail;
    }
    if text.is_empty() || nanos >= u64::MAX as f64 {
        return Err(WRONG);
    }
    // Not negative and in range; fractions of a nanosecond are rounded.
    Ok(Duration::from_nanos(nanos.round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_the_collectors_form_are_read() {
        for (text, millis) in [
            ("0s", 0),
            ("20ms", 20),
            ("1.5s", 1_500),
            ("1h30m", 5_400_000),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
        assert_eq!(parse_duration("3us"), Ok(Duration::from_micros(3)));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "5", "s", "-1s", "1d", "1.2.3s", "1 s", "99999999h"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
