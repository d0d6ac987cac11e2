//! What a word without quotes is, in the dialect of the Collector's YAML library.
//!
//! YAML 1.2 with the habits of Go's yaml.v3: `yes` and `on` are text, a leading `0` is octal, `_`
//! may separate digits, and a date is neither text nor number. Quoted words never come here.

/// A plain word, resolved.
#[derive(Clone, Debug, PartialEq)]
pub enum Plain {
    Null,
    Bool(bool),
    /// Between the least signed and the greatest unsigned number of 64 bits.
    Integer(i128),
    Float(f64),
    /// A date or a timestamp, which fits no field.
    Time,
    Text,
}

/// Says what a plain word is.
#[must_use]
pub fn resolve(word: &str) -> Plain {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "true" | "True" | "TRUE" => return Plain::Bool(true),
        "false" | "False" | "FALSE" => return Plain::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Plain::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Plain::Float(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Plain::Float(f64::NAN),
        _ => {}
    }
    if !word.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return Plain::Text;
    }
    if is_time(word) {
        return Plain::Time;
    }
    let digits = word.replace('_', "");
    if let Some(number) = integer(&digits) {
        return Plain::Integer(number);
    }
    if is_decimal(&digits)
        && let Ok(number) = digits.parse::<f64>()
        && number.is_finite()
    {
        return Plain::Float(number);
    }
    Plain::Text
}

fn integer(digits: &str) -> Option<i128> {
    let (negative, unsigned) = match digits.as_bytes().first()? {
        b'-' => (true, &digits[1..]),
        b'+' => (false, &digits[1..]),
        _ => (false, digits),
    };
    let lower = unsigned.to_ascii_lowercase();
    let (radix, rest) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    // A second sign would be taken by the number parser.
    if !rest.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = i128::from_str_radix(rest, radix).ok()?;
    let number = if negative { -magnitude } else { magnitude };
    (i128::from(i64::MIN)..=i128::from(u64::MAX))
        .contains(&number)
        .then_some(number)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_decimal(word: &str) -> bool {
    let unsigned = word.strip_prefix(['-', '+']).unwrap_or(word);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(index) => (&unsigned[..index], Some(&unsigned[index + 1..])),
        None => (unsigned, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty())
        }
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    let exponent_fits = exponent.is_none_or(|text| {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        !digits.is_empty() && all_digits(digits)
    });
    mantissa_fits && exponent_fits
}

/// `2006-1-2`, alone or followed by a time of day and perhaps a zone.
fn is_time(word: &str) -> bool {
    let (date, clock) = match word.find(['T', 't', ' ']) {
        Some(index) => (&word[..index], Some(&word[index + 1..])),
        None => (word, None),
    };
    let numbers = |text: &str, separator: char, widths: &[(usize, usize)]| {
        let parts: Vec<&str> = text.split(separator).collect();
        parts.len() == widths.len()
            && parts.iter().zip(widths).all(|(part, (least, most))| {
                (*least..=*most).contains(&part.len())
                    && part.bytes().all(|byte| byte.is_ascii_digit())
            })
    };
    if !numbers(date, '-', &[(4, 4), (1, 2), (1, 2)]) {
        return false;
    }
    clock.is_none_or(|clock| {
        let zone_start = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
        let (time, zone) = clock.split_at(zone_start);
        let (seconds, fraction) = time.split_once('.').unwrap_or((time, "0"));
        let zone_fits = matches!(zone, "" | "Z")
            || numbers(zone.get(1..).unwrap_or_default(), ':', &[(2, 2), (2, 2)]);
        numbers(seconds, ':', &[(1, 2), (1, 2), (1, 2)])
            && fraction.bytes().all(|byte| byte.is_ascii_digit())
            && zone_fits
    })
}
