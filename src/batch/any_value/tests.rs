use std::borrow::Cow;

use super::{
    KeyValue, Value, array_values, encode, key_value, key_values, put_array_value, put_key_value,
    read,
};
use crate::batch::proto::put_bytes;

#[test]
fn every_kind_of_value_reads_back() {
    for value in [
        Value::Empty,
        Value::Str(b""),
        Value::Str(b"a\xff"),
        Value::Bool(true),
        Value::Bool(false),
        Value::Int(0),
        Value::Int(i64::MIN),
        Value::Double(-0.5),
        Value::Double(f64::INFINITY),
        Value::Bytes(b"\x00"),
        Value::Array(b""),
        Value::KvList(b""),
    ] {
        assert_eq!(read(&encode(value)), value);
    }
}

#[test]
fn last_value_of_a_cell_wins() {
    let mut cell = encode(Value::Str(b"a"));
    cell.extend(encode(Value::Int(3)));
    assert_eq!(read(&cell), Value::Int(3));
    let mut one = Vec::new();
    put_array_value(&mut one, &encode(Value::Int(1)));
    cell.extend(encode(Value::Array(&one)));
    cell.extend(encode(Value::Array(b"")));
    assert_eq!(read(&cell), Value::Array(b""));
}

#[test]
fn unknown_kind_of_value_is_empty() {
    assert_eq!(read(&[0x40, 7]), Value::Empty);
}

#[test]
fn elements_and_attributes_are_listed_in_order() {
    let mut list = Vec::new();
    put_array_value(&mut list, &encode(Value::Int(1)));
    put_array_value(&mut list, b"");
    let cells: Vec<_> = array_values(&list).map(read).collect();
    assert_eq!(cells, [Value::Int(1), Value::Empty]);

    let mut resource = Vec::new();
    put_key_value(&mut resource, b"a", &encode(Value::Int(1)));
    put_bytes(&mut resource, 3, b"not an attribute");
    put_key_value(&mut resource, b"a", b"");
    let listed: Vec<_> = key_values(&resource).collect();
    assert_eq!(listed.len(), 2);
    assert_eq!(read(&listed[0].value), Value::Int(1));
    assert_eq!(
        listed[1],
        KeyValue {
            key: b"a",
            value: Cow::Borrowed(b""),
        }
    );
}

#[test]
fn value_in_parts_is_joined_and_last_key_wins() {
    let mut message = Vec::new();
    put_bytes(&mut message, 2, &encode(Value::Int(1)));
    put_bytes(&mut message, 1, b"first");
    put_bytes(&mut message, 2, &encode(Value::Str(b"x")));
    put_bytes(&mut message, 1, b"last");
    let attribute = key_value(&message);
    assert_eq!(attribute.key, b"last");
    assert_eq!(read(&attribute.value), Value::Str(b"x"));
}

#[test]
fn long_keys_and_values_keep_their_lengths() {
    let key = vec![b'k'; 127];
    let cell = encode(Value::Str(&vec![b'v'; 20_000]));
    let mut resource = Vec::new();
    put_key_value(&mut resource, &key, &cell);
    let listed: Vec<_> = key_values(&resource).collect();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].key, &*listed[0].value), (&key[..], &cell[..]));
}
