//! The pieces that Prometheus's text formats are made of: numbers and quoted text.
//!
//! Shared by our own metrics and the scrape endpoint. Bytes are appended to a buffer; nothing else
//! is allocated. Numbers look as the Collector prints them (Go's shortest `%g` with its switch to an
//! exponent at 1e-5 and 1e6).

use std::io::Write;

/// Which text format a number or text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Text 0.0.4.
    Text,
    /// `OpenMetrics` 0.0.1 and 1.0.0: a float has a point or an exponent, and HELP escapes quotes.
    OpenMetrics,
}

/// First decimal exponent that is printed in full, and the first that is not any more.
const PLAIN_EXPONENTS: std::ops::Range<i32> = -4..6;

/// Digits of the shortest text that reads back as the same double, and a sign: never more.
const FLOAT_BYTES_MAX: usize = 32;

/// Appends a float: sample values, bounds, timestamps of `OpenMetrics`.
pub fn push_float(out: &mut Vec<u8>, value: f64, dialect: Dialect) {
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
        return;
    }
    if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
        return;
    }
    // The standard library gives the shortest digits that read back: `-1.234567e6`.
    let mut buffer = [0_u8; FLOAT_BYTES_MAX];
    let mut rest = &mut buffer[..];
    // Minus zero prints as zero.
    write!(rest, "{:e}", value + 0.0).expect("a double has at most 17 digits");
    let unused = rest.len();
    let text = &buffer[..FLOAT_BYTES_MAX - unused];
    let (negative, text) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        _ => (false, text),
    };
    let at = text
        .iter()
        .position(|byte| *byte == b'e')
        .expect("an exponent is always written");
    let exponent = std::str::from_utf8(&text[at + 1..])
        .ok()
        .and_then(|digits| digits.parse().ok())
        .expect("the exponent is a small integer");
    let mut digits = [0_u8; FLOAT_BYTES_MAX];
    let mut count = 0;
    for byte in text[..at].iter().filter(|byte| **byte != b'.') {
        digits[count] = *byte;
        count += 1;
    }
    if negative {
        out.push(b'-');
    }
    push_digits(out, &digits[..count], exponent, dialect);
}

/// Appends a count as a float: text 0.0.4 always, `OpenMetrics` for the value of a counter.
///
/// # Hot path
/// - runs: on the service thread, per line of a scrape
/// - cost: no allocation beyond `out`; see `scrape` in `benches/`
/// - invariants: none
/// - units: whatever is counted
pub fn push_count_as_float(out: &mut Vec<u8>, count: u64, dialect: Dialect) {
    // PERF: below a million the digits are those of the integer; `scrape` pays for the branch.
    if count < 1_000_000 {
        push_integer(out, count);
        if dialect == Dialect::OpenMetrics {
            out.extend_from_slice(b".0");
        }
    } else if count < 1 << 53 {
        // Exact as a double, and its integer digits are the shortest that read back.
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(count).as_bytes();
        let exponent = i32::try_from(digits.len()).expect("at most 16 digits") - 1;
        let kept = digits.len() - digits.iter().rev().take_while(|d| **d == b'0').count();
        push_digits(out, &digits[..kept], exponent, dialect);
    } else {
        // A double has no more digits: this is what the reference prints too.
        #[allow(clippy::cast_precision_loss, reason = "the format has only doubles")]
        push_float(out, count as f64, dialect);
    }
}

/// Appends decimal digits.
pub fn push_integer(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends a time: milliseconds as they are in text, seconds as a float in `OpenMetrics`.
pub fn push_time_ms(out: &mut Vec<u8>, time_ms: u64, dialect: Dialect) {
    match dialect {
        Dialect::Text => push_integer(out, time_ms),
        #[allow(clippy::cast_precision_loss, reason = "exact for 285,000 years")]
        Dialect::OpenMetrics => push_float(out, time_ms as f64 / 1000.0, dialect),
    }
}

/// Appends a label value without its quotes.
pub fn push_label_value(out: &mut Vec<u8>, value: &str) {
    push_escaped(out, value, true);
}

/// Appends the text of a HELP line.
pub fn push_help(out: &mut Vec<u8>, help: &str, dialect: Dialect) {
    push_escaped(out, help, dialect == Dialect::OpenMetrics);
}

fn push_escaped(out: &mut Vec<u8>, text: &str, quotes: bool) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'"' if quotes => out.extend_from_slice(b"\\\""),
            other => out.push(other),
        }
    }
}

/// `digits` are `d.ddd` times ten to the `exponent`, without trailing zeros.
fn push_digits(out: &mut Vec<u8>, digits: &[u8], exponent: i32, dialect: Dialect) {
    if !PLAIN_EXPONENTS.contains(&exponent) {
        out.push(digits[0]);
        if digits.len() > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
        let size = exponent.unsigned_abs();
        if size < 10 {
            out.push(b'0');
        }
        push_integer(out, u64::from(size));
        return;
    }
    if exponent < 0 {
        out.extend_from_slice(b"0.");
        for _ in 1..exponent.unsigned_abs() {
            out.push(b'0');
        }
        out.extend_from_slice(digits);
        return;
    }
    let whole = exponent.unsigned_abs() as usize + 1;
    if digits.len() <= whole {
        out.extend_from_slice(digits);
        out.resize(out.len() + whole - digits.len(), b'0');
        if dialect == Dialect::OpenMetrics {
            out.extend_from_slice(b".0");
        }
    } else {
        out.extend_from_slice(&digits[..whole]);
        out.push(b'.');
        out.extend_from_slice(&digits[whole..]);
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Dialect, push_count_as_float, push_float, push_help, push_label_value, push_time_ms,
    };

    fn text(push: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn floats_look_as_recorded() {
        let table = [
            (0.0, "0", "0.0"),
            (-0.0, "0", "0.0"),
            (1.0, "1", "1.0"),
            (-1.0, "-1", "-1.0"),
            (100_000.0, "100000", "100000.0"),
            (999_999.0, "999999", "999999.0"),
            (1e6, "1e+06", "1e+06"),
            (1_048_576.0, "1.048576e+06", "1.048576e+06"),
            (1_234_567.5, "1.2345675e+06", "1.2345675e+06"),
            (123_456.789, "123456.789", "123456.789"),
            (0.0001, "0.0001", "0.0001"),
            (0.00001, "1e-05", "1e-05"),
            (2.5e-7, "2.5e-07", "2.5e-07"),
            (1e21, "1e+21", "1e+21"),
            (5e-324, "5e-324", "5e-324"),
            (0.1 + 0.2, "0.30000000000000004", "0.30000000000000004"),
            (
                f64::MAX,
                "1.7976931348623157e+308",
                "1.7976931348623157e+308",
            ),
            (
                -f64::MIN_POSITIVE,
                "-2.2250738585072014e-308",
                "-2.2250738585072014e-308",
            ),
            (
                9_223_372_036_854_775_807.0,
                "9.223372036854776e+18",
                "9.223372036854776e+18",
            ),
            (f64::NAN, "NaN", "NaN"),
            (f64::INFINITY, "+Inf", "+Inf"),
            (f64::NEG_INFINITY, "-Inf", "-Inf"),
        ];
        for (value, in_text, in_open_metrics) in table {
            assert_eq!(text(|out| push_float(out, value, Dialect::Text)), in_text);
            assert_eq!(
                text(|out| push_float(out, value, Dialect::OpenMetrics)),
                in_open_metrics
            );
        }
    }

    proptest::proptest! {
        #[test]
        #[allow(clippy::cast_precision_loss, reason = "the format has only doubles")]
        fn counts_print_as_the_same_number_as_floats(count: u64, shift in 0_u32..64) {
            let count = count >> shift;
            for dialect in [Dialect::Text, Dialect::OpenMetrics] {
                proptest::prop_assert_eq!(
                    text(|out| push_count_as_float(out, count, dialect)),
                    text(|out| push_float(out, count as f64, dialect))
                );
            }
        }

        #[test]
        fn floats_read_back_as_themselves(bits: u64) {
            let value = f64::from_bits(bits);
            let printed = text(|out| push_float(out, value, Dialect::Text));
            let back: f64 = printed.parse().expect("a number");
            let same = back.to_bits() == value.to_bits();
            proptest::prop_assert!(same || value == 0.0 || (back.is_nan() && value.is_nan()));
        }
    }

    #[test]
    fn times_are_milliseconds_in_text_and_seconds_in_open_metrics() {
        let table = [
            (1_700_000_060_000, "1.70000006e+09"),
            (1_700_000_000_123, "1.700000000123e+09"),
            (0, "0.0"),
        ];
        for (time_ms, seconds) in table {
            assert_eq!(
                text(|out| push_time_ms(out, time_ms, Dialect::OpenMetrics)),
                seconds
            );
            assert_eq!(
                text(|out| push_time_ms(out, time_ms, Dialect::Text)),
                time_ms.to_string()
            );
        }
    }

    #[test]
    fn quotes_are_escaped_in_label_values_and_in_help_of_open_metrics_only() {
        let value = "a\\b\nc\"d\r\t";
        assert_eq!(
            text(|out| push_label_value(out, value)),
            "a\\\\b\\nc\\\"d\r\t"
        );
        assert_eq!(
            text(|out| push_help(out, value, Dialect::Text)),
            "a\\\\b\\nc\"d\r\t"
        );
        assert_eq!(
            text(|out| push_help(out, value, Dialect::OpenMetrics)),
            "a\\\\b\\nc\\\"d\r\t"
        );
    }
}
