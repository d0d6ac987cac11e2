use super::text;
use crate::batch::any_value::{Value, encode, put_array_value, put_key_value};

fn shown(value: Value<'_>) -> String {
    String::from_utf8(text(value)).expect("the values here are UTF-8")
}

fn array(values: &[Value<'_>]) -> Vec<u8> {
    let mut list = Vec::new();
    for value in values {
        put_array_value(&mut list, &encode(*value));
    }
    list
}

fn map(attributes: &[(&[u8], Value<'_>)]) -> Vec<u8> {
    let mut list = Vec::new();
    for (key, value) in attributes {
        put_key_value(&mut list, key, &encode(*value));
    }
    list
}

/// The values of the recorded case 07.
#[test]
fn recorded_values_have_the_recorded_text() {
    for (value, expected) in [
        (Value::Str(b"text"), "text"),
        (Value::Bool(true), "true"),
        (Value::Int(-42), "-42"),
        (Value::Int(9_007_199_254_740_993), "9007199254740993"),
        (Value::Double(0.25), "0.25"),
        (Value::Double(3.0), "3"),
        (Value::Double(1e-7), "1e-7"),
        (Value::Double(1e21), "1e+21"),
        (Value::Double(f64::NAN), "json: unsupported value: NaN"),
        (
            Value::Double(f64::INFINITY),
            "json: unsupported value: +Inf",
        ),
        (
            Value::Double(f64::NEG_INFINITY),
            "json: unsupported value: -Inf",
        ),
        (
            Value::Array(&array(&[
                Value::Str(b"a"),
                Value::Int(1),
                Value::Bool(true),
                Value::Double(0.5),
            ])),
            r#"["a",1,true,0.5]"#,
        ),
        (
            Value::KvList(&map(&[(b"z", Value::Int(1)), (b"a", Value::Str(b"<&>"))])),
            r#"{"a":"\u003c\u0026\u003e","z":1}"#,
        ),
        (Value::Bytes(b"\x00\x01\xff"), "AAH/"),
        (Value::Empty, ""),
        (Value::Str(b""), ""),
        (Value::Str(b"a\"b\\c\nd"), "a\"b\\c\nd"),
    ] {
        assert_eq!(shown(value), expected);
    }
}

#[test]
fn doubles_change_to_an_exponent_at_the_ecmascript_bounds() {
    for (double, expected) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (1e6, "1000000"),
        (1e20, "100000000000000000000"),
        (1.5e21, "1.5e+21"),
        (-1e21, "-1e+21"),
        (1e-6, "0.000001"),
        (9.5e-7, "9.5e-7"),
        (1e-10, "1e-10"),
        (1e300, "1e+300"),
        (0.1 + 0.2, "0.30000000000000004"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
    ] {
        assert_eq!(shown(Value::Double(double)), expected);
    }
}

#[test]
fn json_of_nested_values_is_compact_and_escaped() {
    let inner = array(&[Value::Double(1.5), Value::Bool(true), Value::Empty]);
    let list = map(&[
        (b"b", Value::Str(b"<a>&")),
        (b"a", Value::Int(5)),
        (b"d", Value::Bytes(b"hi")),
        (b"e", Value::Bytes(b"")),
        (b"f", Value::Array(&inner)),
        (b"a", Value::Int(6)),
        (b"c", Value::KvList(b"")),
        (
            b"s\"\n",
            Value::Str("\u{1}\u{8}\u{c}\r\t\u{2028}\u{fc}".as_bytes()),
        ),
    ]);
    assert_eq!(
        shown(Value::KvList(&list)),
        concat!(
            r#"{"a":6,"b":"\u003ca\u003e\u0026","c":{},"d":"aGk=","e":null,"f":[1.5,true,null],"#,
            r#""s\"\n":"\u0001\b\f\r\t\u2028"#,
            "\u{fc}\"}"
        )
    );
}

#[test]
fn invalid_utf8_stays_outside_json_and_is_replaced_inside() {
    assert_eq!(text(Value::Str(b"v\xfe")), b"v\xfe");
    let list = array(&[Value::Str(b"v\xfe\xe2\x82")]);
    assert_eq!(shown(Value::Array(&list)), r#"["v\ufffd\ufffd\ufffd"]"#);
}

#[test]
fn nested_nan_empties_the_whole_text() {
    let list = array(&[Value::Int(1), Value::Double(f64::NAN)]);
    assert_eq!(text(Value::Array(&list)), b"");
}
