//! The dialect, durations, variables and the reader of blocks, each through one check function.

use proptest::prelude::*;

use super::value::describe;
use super::{
    Diagnostic, Log, Node, Plain, Reading, Section, Source, Value, duration, endpoint, expand,
    nearest, parse, resolve,
};

/// A tree as one line: `{a: 1, b: [x, "y"]}`, with quotes around what was quoted.
fn show(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Refused => "refused".to_owned(),
        Value::Scalar { text, plain: true } => text.clone(),
        Value::Scalar { text, plain: false } => format!("{text:?}"),
        Value::Seq(items) => {
            let items: Vec<String> = items.iter().map(show).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|entry| format!("{}: {}", entry.key, show(&entry.node)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn tree(text: &str) -> String {
    let log = Log::default();
    let node = parse(&Source::new("t", text), &log);
    assert!(!log.has_errors(), "{text:?}: {:?}", messages(log));
    show(&node.expect("a tree without errors"))
}

fn messages(log: Log) -> Vec<String> {
    let (diagnostics, _) = log.into_sorted();
    diagnostics
        .into_iter()
        .map(|diagnostic: Diagnostic| diagnostic.message)
        .collect()
}

fn variable(name: &str) -> Option<String> {
    let value = match name {
        "OCTAL" => "0123",
        "QUOTED" => "\"x\"",
        "LIST" => "[a, b]",
        "MAP" => "{k: v}",
        "EMPTY" => "",
        "DOLLARS" => "a$$b",
        "NESTED" => "${env:OCTAL}",
        "NOT_YAML" => "a: b: c",
        _ => return None,
    };
    Some(value.to_owned())
}

/// `a: VALUE` after its variables are laid in: the tree, and the text a text field takes.
fn expanded(value: &str) -> (String, Option<String>, Vec<String>) {
    let log = Log::default();
    let source = Source::new("t", format!("a: '{value}'"));
    let mut node = parse(&source, &log).expect("valid YAML");
    expand(&mut node, &source, &variable, &log);
    let value = &node.find("a").expect("the key").node;
    (show(value), value.raw.clone(), messages(log))
}

#[test]
fn plain_words_are_what_the_collectors_library_says() {
    for (word, expected) in [
        ("", Plain::Null),
        ("~", Plain::Null),
        ("NULL", Plain::Null),
        ("nUll", Plain::Text),
        ("True", Plain::Bool(true)),
        ("yes", Plain::Text),
        ("on", Plain::Text),
        ("0123", Plain::Integer(83)),
        ("0o17", Plain::Integer(15)),
        ("-0x1F", Plain::Integer(-31)),
        ("0b101", Plain::Integer(5)),
        ("1_000", Plain::Integer(1000)),
        ("08", Plain::Float(8.0)),
        ("0", Plain::Integer(0)),
        ("+5", Plain::Integer(5)),
        ("--5", Plain::Text),
        ("0x-5", Plain::Text),
        ("18446744073709551615", Plain::Integer(i128::from(u64::MAX))),
        (
            "18446744073709551616",
            Plain::Float(18_446_744_073_709_551_616.0),
        ),
        ("1e3", Plain::Float(1000.0)),
        (".5", Plain::Float(0.5)),
        ("5.", Plain::Float(5.0)),
        (".", Plain::Text),
        ("1e999", Plain::Text),
        ("-.inf", Plain::Float(f64::NEG_INFINITY)),
        ("2006-01-02", Plain::Time),
        ("2006-1-2 3:4:5.6", Plain::Time),
        ("2006-01-02T15:04:05Z", Plain::Time),
        ("2006-01-02T15:04:05+01:00", Plain::Time),
        ("2006-01", Plain::Text),
        ("1:30", Plain::Text),
        ("5s", Plain::Text),
    ] {
        assert_eq!(resolve(word), expected, "{word:?}");
    }
}

#[test]
fn yaml_becomes_a_tree_in_the_order_of_the_file() {
    assert_eq!(
        tree("b: 1\na: [x, 'y', null]\n"),
        "{b: 1, a: [x, \"y\", null]}"
    );
    assert_eq!(tree(""), "null");
    assert_eq!(tree("a: 1\n---\nb: 2\n"), "{a: 1}");
    assert_eq!(tree("a: !!str 5\nb: !!int '5'\n"), "{a: \"5\", b: 5}");
}

#[test]
fn anchors_aliases_and_merges_work() {
    assert_eq!(tree("a: &x [1]\nb: *x\n"), "{a: [1], b: [1]}");
    assert_eq!(
        tree("a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\n"),
        "{a: {k: 1, l: 2}, b: {l: 3, k: 1}}"
    );
    assert_eq!(tree("a: {'<<': 1}\n"), "{a: {<<: 1}}");
}

#[test]
fn double_colons_in_keys_are_nested_maps() {
    assert_eq!(tree("a::b::c: 1\n"), "{a: {b: {c: 1}}}");
    assert_eq!(tree("a: {x: 1}\na::b: 2\n"), "{a: {x: 1, b: 2}}");
    assert_eq!(tree("a:\na::b: 2\n"), "{a: {b: 2}}");
    assert_eq!(tree("a::b: 2\na:\n"), "{a: {b: 2}}");
}

#[test]
fn a_reference_that_is_the_whole_value_keeps_both_forms() {
    let whole = |value| {
        let (tree, raw, _) = expanded(value);
        (tree, raw.expect("the text of the variable"))
    };
    let both = |tree: &str, raw: &str| (tree.to_owned(), raw.to_owned());
    assert_eq!(whole("${env:OCTAL}"), both("0123", "0123"));
    assert_eq!(whole("${OCTAL}"), both("0123", "0123"));
    assert_eq!(whole("${env:QUOTED}"), both("\"x\"", "\"x\""));
    assert_eq!(whole("${env:LIST}"), both("[a, b]", "[a, b]"));
    assert_eq!(whole("${env:MAP}"), both("{k: v}", "{k: v}"));
    assert_eq!(whole("${env:EMPTY}"), both("null", ""));
    assert_eq!(whole("${env:UNSET:-5}"), both("5", "5"));
    assert_eq!(whole("${env:EMPTY:-5}"), both("null", ""));
    assert_eq!(whole("${env:NESTED}"), both("0123", "0123"));
    assert_eq!(whole("${env:NOT_YAML}"), both("\"a: b: c\"", "a: b: c"));
}

#[test]
fn a_reference_inside_a_text_is_pasted() {
    let pasted = |value| expanded(value).0;
    assert_eq!(pasted("x${env:OCTAL}y"), "\"x0123y\"");
    assert_eq!(pasted("${env:OCTAL}${env:OCTAL}"), "\"01230123\"");
    assert_eq!(pasted("${env:UNSET:-${env:OCTAL}}"), "0123");
    assert_eq!(pasted("x${env:QUOTED}"), "\"x\\\"x\\\"\"");
}

#[test]
fn dollars_are_escaped_by_doubling() {
    let text = |value| expanded(value).0;
    assert_eq!(text("$${env:OCTAL} $$1"), "\"${env:OCTAL} $1\"");
    assert_eq!(text("$$${env:OCTAL}"), "\"$0123\"");
    assert_eq!(text("a$b"), "\"a$b\"");
    assert_eq!(text("$${A} ${env:OCTAL}"), "\"${A} ${env:OCTAL}\"");
    assert_eq!(expanded("${env:DOLLARS}").1.as_deref(), Some("a$b"));
}

#[test]
fn an_unset_variable_is_empty_and_remarked_on() {
    let (tree, raw, remarks) = expanded("${env:UNSET}");
    assert_eq!((tree.as_str(), raw.as_deref()), ("null", Some("")));
    assert_eq!(remarks, ["the environment variable `UNSET` is not set"]);
    assert!(expanded("${env:UNSET:-}").2.is_empty());
}

#[test]
fn a_wrong_reference_is_refused_and_leaves_nothing_behind() {
    for value in [
        "${env:1BAD}",
        "x${vault:a}",
        "${}",
        "${env:A$B}",
        "${NAME:-x}",
    ] {
        let (tree, _, messages) = expanded(value);
        assert_eq!((tree.as_str(), messages.len()), ("refused", 1), "{value}");
    }
}

#[test]
fn a_refused_value_raises_no_second_complaint() {
    let source = Source::new("t", "a: ${env:1BAD}\nb: [1]\n");
    let reading = Reading::default();
    let mut node = parse(&source, &reading.log).expect("valid YAML");
    expand(&mut node, &source, &variable, &reading.log);
    Section::read(&reading, "s".to_owned(), node.span, &node, |section| {
        for key in ["a", "b"] {
            assert_eq!(section.unsigned(key, 7), 7);
            section.refuse(key, super::Code::Value, "again", "");
        }
    });
    assert_eq!(
        messages(reading.log),
        [
            "`1BAD` is no name of an environment variable",
            "`s.b` wants a whole number, found a list"
        ]
    );
}

#[test]
fn null_and_absent_differ_by_type() {
    let source = Source::new("t", "text:\nflag:\ncount:\nwait:\nlist:\nmap:\nblock:\n");
    let reading = Reading::default();
    let node = parse(&source, &reading.log).expect("valid YAML");
    Section::read(&reading, String::new(), node.span, &node, |section| {
        assert_eq!(section.string("text", "d"), "");
        assert_eq!(section.optional_string("text"), None);
        assert!(!section.bool("flag", true));
        assert_eq!(section.unsigned("count", 7), 0);
        assert_eq!(section.duration_ns("wait", 7), 0);
        assert_eq!(section.strings("list"), None);
        assert!(section.string_map("map").is_empty());
        assert_eq!(section.section("block", |_| ()), Some(()));
        assert_eq!(section.given_section("block", |_| ()), None);
        assert_eq!(section.string("absent", "d"), "d");
        assert!(section.bool("absent", true));
    });
    assert!(!reading.log.has_errors());
}

#[test]
fn a_single_text_is_split_where_a_list_is_wanted() {
    let source = Source::new("t", "a: x, y,z\nb: ''\nc: 'x'\n");
    let reading = Reading::default();
    let node = parse(&source, &reading.log).expect("valid YAML");
    Section::read(&reading, String::new(), node.span, &node, |section| {
        let list = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
        assert_eq!(section.strings("a"), list(&["x", " y", "z"]));
        assert_eq!(section.strings("b"), list(&[]));
        assert_eq!(section.strings("c"), list(&["x"]));
    });
}

#[test]
fn durations_are_read_as_go_reads_them() {
    use duration::DurationError::{MissingUnit, NotADuration, TooLong, UnknownUnit};
    let unknown = |unit: &str| Err(UnknownUnit(unit.to_owned()));
    for (text, expected) in [
        ("0", Ok(0)),
        ("-0", Ok(0)),
        ("5s", Ok(5_000_000_000)),
        ("+5s", Ok(5_000_000_000)),
        ("-1.5h", Ok(-5_400_000_000_000)),
        ("1h2m3s4ms5us6ns", Ok(3_723_004_005_006)),
        (".5s", Ok(500_000_000)),
        ("1.s", Ok(1_000_000_000)),
        ("1.0000000001s", Ok(1_000_000_000)),
        ("0.999999999999999999999s", Ok(999_999_999)),
        ("1\u{b5}s1\u{3bc}s", Ok(2_000)),
        ("9223372036854775807ns", Ok(i64::MAX)),
        ("-9223372036854775808ns", Ok(i64::MIN)),
        ("9223372036854775808ns", Err(TooLong)),
        ("3000000h", Err(TooLong)),
        ("15", Err(MissingUnit)),
        ("1d", unknown("d")),
        ("5 s", unknown(" s")),
        ("5s ", unknown("s ")),
        ("", Err(NotADuration)),
        ("-", Err(NotADuration)),
        (".s", Err(NotADuration)),
        ("soon", Err(NotADuration)),
    ] {
        assert_eq!(duration::parse(text), expected, "{text:?}");
    }
}

#[test]
fn endpoints_have_a_host_and_a_port() {
    use endpoint::EndpointError::{Brackets, Host, MissingPort, Port};
    for (text, expected) in [
        ("localhost:4317", Ok(("localhost", 4317))),
        (":1", Ok(("", 1))),
        ("[::]:65535", Ok(("::", 65535))),
        ("localhost", Err(MissingPort)),
        ("localhost:", Err(MissingPort)),
        ("localhost:65536", Err(Port)),
        ("localhost:+1", Err(Port)),
        ("::1:1", Err(Brackets)),
        ("[::1:1", Err(Brackets)),
        ("http://a:1", Err(Brackets)),
        ("a/b:1", Err(Host)),
    ] {
        assert_eq!(endpoint::split(text), expected, "{text:?}");
    }
}

#[test]
fn only_a_slip_has_a_nearest_word() {
    let words = ["timeout", "send_batch_size", "send_batch_max_size"];
    assert_eq!(nearest("tmieout", words), Some("timeout"));
    assert_eq!(nearest("TimeOut", words), Some("timeout"));
    assert_eq!(nearest("send_batch_sizes", words), Some("send_batch_size"));
    assert_eq!(nearest("endpoint", words), None);
    assert_eq!(nearest("", words), None);
    assert_eq!(nearest("x", ["y"]), None);
}

#[test]
fn a_long_value_is_cut_in_a_message() {
    let log = Log::default();
    let node = parse(&Source::new("t", "x".repeat(100)), &log).expect("a word");
    assert_eq!(describe(&node), format!("the text `{}...`", "x".repeat(40)));
}

const UNITS: [(&str, i128); 6] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

proptest! {
    /// The naive reading: every part as thousandths of its unit, in 128 bits.
    #[test]
    fn durations_agree_with_a_naive_reading(
        negative in any::<bool>(),
        parts in proptest::collection::vec((0_u32..1_000_000, 0_u32..1000, 0_usize..6), 1..5),
    ) {
        let mut text = if negative { "-".to_owned() } else { String::new() };
        let mut total = 0_i128;
        for (whole, thousandths, unit) in parts {
            let (name, unit_ns) = UNITS[unit];
            text = format!("{text}{whole}.{thousandths:03}{name}");
            total += i128::from(whole) * unit_ns + i128::from(thousandths) * unit_ns / 1000;
        }
        let expected = i64::try_from(if negative { -total } else { total }).ok();
        prop_assert_eq!(duration::parse(&text).ok(), expected);
    }

    #[test]
    fn any_text_is_a_word_and_a_duration_or_neither(text in "\\PC{0,24}|[-+.0-9a-zA-Z_:]{0,24}") {
        let _ = resolve(&text);
        let _ = duration::parse(&text);
        let _ = endpoint::split(&text);
    }

    #[test]
    fn whole_numbers_resolve_to_themselves(number in any::<i64>()) {
        prop_assert_eq!(resolve(&number.to_string()), Plain::Integer(i128::from(number)));
    }
}
