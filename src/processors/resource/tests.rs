//! Recorded cases, and the processor against a naive twin on generated resources and actions.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, BinaryViewArray, RecordBatch};
use proptest::prelude::*;
use regex::bytes::Regex;

use super::ResourceProcessor;
use super::options::{Action, ConvertedType, ResourceOptions, ValueSource};
use crate::batch::any_value::{Value, encode, key_values, put_array_value, put_key_value, read};
use crate::batch::proto::put_bytes;
use crate::batch::value_text::text;
use crate::batch::{TraceBatch, TraceColumns, TraceLayout};

#[path = "../../../tests/guide_keys/mod.rs"]
mod guide_keys;
mod naive;

fn resource(attributes: &[(&str, Value<'_>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, value) in attributes {
        put_key_value(&mut out, key.as_bytes(), &encode(*value));
    }
    out
}

fn batch(resources: &[Vec<u8>]) -> TraceBatch {
    let layout = TraceLayout::new(TraceColumns::default());
    let column = BinaryViewArray::from_iter_values(resources);
    let schema = Arc::clone(layout.resources_schema());
    TraceBatch {
        resources: RecordBatch::try_new(schema, vec![Arc::new(column)]).unwrap(),
        spans: RecordBatch::new_empty(Arc::clone(layout.spans_schema())),
        events: None,
    }
}

fn processor(actions: Vec<Action>) -> ResourceProcessor {
    ResourceProcessor::new(&ResourceOptions { actions })
}

fn run(processor: &mut ResourceProcessor, resources: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let batch = processor.run(batch(resources));
    let column = batch.resources.column(0).as_binary_view();
    (0..column.len())
        .map(|row| column.value(row).to_vec())
        .collect()
}

/// Attributes as the debug exporter shows them.
fn shown(resource: &[u8]) -> Vec<String> {
    key_values(resource)
        .map(|attribute| {
            let value = read(&attribute.value);
            let kind = match value {
                Value::Empty => "Empty",
                Value::Str(_) => "Str",
                Value::Bool(_) => "Bool",
                Value::Int(_) => "Int",
                Value::Double(_) => "Double",
                Value::Bytes(_) => "Bytes",
                Value::Array(_) => "Slice",
                Value::KvList(_) => "Map",
            };
            let key = String::from_utf8_lossy(attribute.key);
            format!("{key}: {kind}({})", String::from_utf8_lossy(&text(value)))
        })
        .collect()
}

fn value(value: Value<'_>) -> ValueSource {
    ValueSource::Value(encode(value))
}

fn insert(key: &str, value: ValueSource) -> Action {
    Action::Insert {
        key: key.to_owned(),
        value,
    }
}

fn update(key: &str, value: ValueSource) -> Action {
    Action::Update {
        key: key.to_owned(),
        value,
    }
}

fn upsert(key: &str, value: ValueSource) -> Action {
    Action::Upsert {
        key: key.to_owned(),
        value,
    }
}

fn delete(key: &str) -> Action {
    Action::Delete {
        key: Some(key.to_owned()),
        pattern: None,
    }
}

fn delete_matching(pattern: &str) -> Action {
    Action::Delete {
        key: None,
        pattern: Some(Regex::new(pattern).unwrap()),
    }
}

fn hash(key: &str) -> Action {
    Action::Hash {
        key: Some(key.to_owned()),
        pattern: None,
    }
}

fn convert(key: &str, to: ConvertedType) -> Action {
    Action::Convert {
        key: key.to_owned(),
        to,
    }
}

fn extract(key: &str, pattern: &str) -> Action {
    Action::Extract {
        key: key.to_owned(),
        pattern: Regex::new(pattern).unwrap(),
    }
}

/// The recorded case 89, v0.128.0.
#[test]
fn every_action_gives_the_recorded_attributes_in_the_recorded_order() {
    let mut list = Vec::new();
    put_array_value(&mut list, &encode(Value::Int(1)));
    put_array_value(&mut list, &encode(Value::Str(b"x")));
    let map = resource(&[("k", Value::Str(b"v"))]);
    let before = resource(&[
        ("keep", Value::Str(b"k")),
        ("a", Value::Str(b"text")),
        ("b", Value::Int(2)),
        ("c", Value::Bool(true)),
        ("d", Value::Double(0.5)),
        ("e", Value::Array(&list)),
        ("f", Value::KvList(&map)),
        ("g", Value::Bytes(b"\x01\x02")),
        ("h", Value::Empty),
        ("n", Value::Str(b"17")),
        ("x", Value::Str(b"1.5")),
        ("url", Value::Str(b"https://host:8080/path?q=1")),
        ("process.pid", Value::Int(42)),
        ("process.name", Value::Str(b"p")),
        ("secret", Value::Str(b"s3cret")),
        ("empty", Value::Str(b"")),
    ]);
    let mut new_list = Vec::new();
    put_array_value(&mut new_list, &encode(Value::Int(1)));
    put_array_value(&mut new_list, &encode(Value::Str(b"a")));
    let new_map = resource(&[("z", Value::Int(1)), ("a", Value::Str(b"b"))]);
    let from = |key: &str| ValueSource::FromAttribute(key.to_owned());
    let mut processor = processor(vec![
        insert("inserted", value(Value::Str(b"new"))),
        insert("a", value(Value::Str(b"not inserted"))),
        update("b", value(Value::Int(20))),
        update("absent", value(Value::Int(1))),
        upsert("c", value(Value::Bool(false))),
        upsert("upserted", value(Value::Double(1.5))),
        insert("copy.of.d", from("d")),
        insert("copy.of.absent", from("nothing")),
        delete("keep"),
        delete("absent"),
        delete_matching(r"^process\."),
        hash("secret"),
        hash("e"),
        hash("f"),
        hash("g"),
        hash("h"),
        hash("empty"),
        extract(
            "url",
            "^(?P<url_scheme>.*)://(?P<url_host>[^:/]+):?(?P<url_port>[0-9]*)/(?P<url_path>[^?]*)\
             (?P<url_query>[?].*)?",
        ),
        convert("n", ConvertedType::Int),
        convert("x", ConvertedType::Double),
        convert("d", ConvertedType::String),
        insert("list", value(Value::Array(&new_list))),
        insert("map", value(Value::KvList(&new_map))),
        insert("octal", value(Value::Int(83))),
        insert("context", ValueSource::FromContext("metadata.x".to_owned())),
    ]);
    let after = run(&mut processor, &[before]);
    assert_eq!(
        shown(&after[0]),
        [
            "copy.of.d: Double(0.5)",
            "a: Str(text)",
            "b: Int(20)",
            "c: Bool(false)",
            "d: Str(0.5)",
            "e: Str()",
            "f: Str()",
            "g: Str()",
            "h: Str()",
            "n: Int(17)",
            "x: Double(1.5)",
            "url: Str(https://host:8080/path?q=1)",
            "upserted: Double(1.5)",
            "inserted: Str(new)",
            "secret: Str(1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0)",
            "empty: Str()",
            "url_scheme: Str(https)",
            "url_host: Str(host)",
            "url_port: Str(8080)",
            "url_path: Str(path)",
            "url_query: Str(?q=1)",
            r#"list: Slice([1,"a"])"#,
            r#"map: Map({"a":"b","z":1})"#,
            "octal: Int(83)",
        ]
    );
}

/// The recorded case 90, v0.128.0.
#[test]
fn delete_moves_the_last_attribute_into_the_hole_once_for_each_match() {
    let before = resource(&[
        ("a", Value::Int(1)),
        ("b", Value::Int(2)),
        ("two", Value::Str(b"x")),
        ("p.1", Value::Int(3)),
        ("c", Value::Int(4)),
        ("two", Value::Str(b"y")),
        ("p.2", Value::Int(5)),
        ("d", Value::Int(6)),
    ]);
    let mut processor = processor(vec![delete("a"), delete("two"), delete_matching(r"^p\.")]);
    let after = run(&mut processor, &[before]);
    assert_eq!(
        shown(&after[0]),
        ["d: Int(6)", "b: Int(2)", "two: Str(y)", "c: Int(4)"]
    );
}

/// The recorded case 91, v0.128.0: the guide's list.
#[test]
fn guide_leaves_the_recorded_attributes_in_the_recorded_order() {
    let before = resource(&[
        ("service.name", Value::Str(b"s")),
        ("service.instance.id", Value::Str(b"i")),
        ("telemetry.sdk.name", Value::Str(b"otel")),
        ("telemetry.sdk.version", Value::Str(b"1")),
        ("telemetry.sdk.language", Value::Str(b"go")),
        ("telemetry.distro.version", Value::Str(b"1")),
        ("process.runtime.name", Value::Str(b"n")),
        ("process.runtime.description", Value::Str(b"d")),
        ("process.runtime.version", Value::Str(b"v")),
        ("process.command_args", Value::Array(b"")),
        ("process.command.args", Value::Str(b"b")),
        ("process.pid", Value::Int(7)),
        ("process.executable.path", Value::Str(b"/x")),
        ("process.executable.name", Value::Str(b"x")),
        ("os.description", Value::Str(b"o")),
        ("os.type", Value::Str(b"linux")),
        ("instance", Value::Str(b"i")),
        ("container.id", Value::Str(b"c")),
        ("host.name", Value::Str(b"h")),
    ]);
    let mut processor = processor(guide_keys::DELETED.map(delete).to_vec());
    let after = run(&mut processor, &[before]);
    assert_eq!(
        shown(&after[0]),
        [
            "service.name: Str(s)",
            "process.executable.name: Str(x)",
            "os.type: Str(linux)",
            "process.runtime.version: Str(v)",
            "telemetry.sdk.language: Str(go)",
            "host.name: Str(h)",
        ]
    );
}

#[test]
fn hashes_are_those_of_the_specification() {
    let before = resource(&[
        ("s", Value::Str(b"x")),
        ("b", Value::Bool(true)),
        ("i", Value::Int(-1)),
        ("d", Value::Double(1.0)),
    ]);
    let mut processor = processor(["s", "b", "i", "d"].map(hash).to_vec());
    let after = run(&mut processor, &[before]);
    assert_eq!(
        shown(&after[0]),
        [
            "s: Str(2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881)",
            "b: Str(4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a)",
            "i: Str(12a3ae445661ce5dee78d0650d33362dec29c4f82af05e7e57fb595bbbacf0ca)",
            "d: Str(6c3c396ed6b5c36dcae172271f462051b1266b851e92df3deea8ac65478fd712)",
        ]
    );
}

#[test]
fn texts_become_numbers_as_in_go() {
    for (text, int, double) in [
        ("17", Some(17), Some(17.0)),
        ("+5", Some(5), Some(5.0)),
        (
            "-9223372036854775808",
            Some(i64::MIN),
            Some(-9_223_372_036_854_775_808.0),
        ),
        (
            "9223372036854775808",
            None,
            Some(9_223_372_036_854_775_808.0),
        ),
        ("1_000", None, Some(1_000.0)),
        ("1_23.50_0_0e+1_2", None, Some(1.235e14)),
        ("_1", None, None),
        ("1__0", None, None),
        ("1_", None, None),
        ("1_.5", None, None),
        (" 1", None, None),
        ("", None, None),
        (".5", None, Some(0.5)),
        ("5.", None, Some(5.0)),
        ("1e3", None, Some(1_000.0)),
        ("1e999", None, None),
        ("1e-999", None, Some(0.0)),
        ("Inf", None, Some(f64::INFINITY)),
        ("-infinity", None, Some(f64::NEG_INFINITY)),
        ("infin", None, None),
        ("NaN", None, Some(f64::NAN)),
        ("-nan", None, None),
    ] {
        let before = resource(&[
            ("i", Value::Str(text.as_bytes())),
            ("d", Value::Str(text.as_bytes())),
        ]);
        let mut processor = processor(vec![
            convert("i", ConvertedType::Int),
            convert("d", ConvertedType::Double),
        ]);
        let after = run(&mut processor, &[before]);
        let expected = resource(&[
            ("i", int.map_or(Value::Str(text.as_bytes()), Value::Int)),
            (
                "d",
                double.map_or(Value::Str(text.as_bytes()), Value::Double),
            ),
        ]);
        assert_eq!(shown(&after[0]), shown(&expected), "{text}");
    }
}

#[test]
fn doubles_that_fit_no_integer_become_the_least_one() {
    for (double, int) in [
        (1.9, 1),
        (-1.9, -1),
        (9.3e18, i64::MIN),
        (-9.3e18, i64::MIN),
        (f64::NAN, i64::MIN),
        (f64::INFINITY, i64::MIN),
        (-9_223_372_036_854_775_808.0, i64::MIN),
    ] {
        let before = resource(&[("d", Value::Double(double))]);
        let after = run(
            &mut processor(vec![convert("d", ConvertedType::Int)]),
            &[before],
        );
        assert_eq!(after[0], resource(&[("d", Value::Int(int))]));
    }
}

#[test]
fn fields_that_are_no_attributes_stay_behind_the_attributes() {
    let mut before = vec![0x10, 3];
    put_key_value(&mut before, b"a", &encode(Value::Int(1)));
    put_bytes(&mut before, 3, b"\x0a\x01s");
    put_key_value(&mut before, b"b", b"");
    let mut expected = resource(&[("b", Value::Empty)]);
    expected.extend([0x10, 3]);
    put_bytes(&mut expected, 3, b"\x0a\x01s");
    assert_eq!(
        run(&mut processor(vec![delete("a")]), &[before]),
        [expected]
    );
}

#[test]
fn more_resources_than_are_remembered_are_rewritten_all_the_same() {
    let mut processor = processor(vec![delete("gone")]);
    processor.resources_max = 4;
    let resources: Vec<_> = (0..50)
        .map(|number| {
            let number = Value::Int(number % 11);
            resource(&[("gone", Value::Bool(true)), ("n", number)])
        })
        .collect();
    let expected: Vec<_> = (0..50)
        .map(|number| resource(&[("n", Value::Int(number % 11))]))
        .collect();
    assert_eq!(run(&mut processor, &resources), expected);
    assert!(processor.known.len() <= 4);
}

#[test]
fn large_resource_is_rewritten_and_not_remembered() {
    let large = "x".repeat(super::RESOURCE_BYTES_MAX);
    let before = resource(&[("gone", Value::Int(1)), ("n", Value::Str(large.as_bytes()))]);
    let mut processor = processor(vec![delete("gone")]);
    let after = run(&mut processor, &[before, Vec::new()]);
    assert_eq!(after[0], resource(&[("n", Value::Str(large.as_bytes()))]));
    assert_eq!(after[1], b"");
    assert_eq!(processor.known.len(), 1);
}

#[test]
fn known_resource_shares_its_bytes() {
    let before = resource(&[("service.name", Value::Str(b"checkout"))]);
    let mut processor = processor(vec![delete("gone")]);
    let address = |batch: TraceBatch| {
        let column = batch.resources.column(0).as_binary_view();
        column.value(0).as_ptr().addr()
    };
    let first = processor.run(batch(std::slice::from_ref(&before)));
    let second = processor.run(batch(&[before]));
    assert_eq!(address(first), address(second));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn processor_and_naive_twin_agree(
        resources in prop::collection::vec(naive::resource(), 0..8),
        actions in prop::collection::vec(naive::action(), 0..12),
    ) {
        let encoded: Vec<_> = resources.iter().map(naive::encode_resource).collect();
        let mut processor = processor(actions.clone());
        processor.resources_max = 3;
        let rewritten = run(&mut processor, &encoded);
        for (resource, rewritten) in resources.into_iter().zip(rewritten) {
            let expected = naive::apply(&actions, resource);
            prop_assert_eq!(shown(&rewritten), shown(&naive::encode_resource(&expected)));
        }
    }
}
