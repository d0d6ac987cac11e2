//! Values of every type are read as they are meant; drawn ones have the frequencies they should.

use super::super::tests;
use super::*;

fn read(text: &str, place: Place) -> Result<Vec<Spec>, String> {
    tests::read(text, |section| Spec::read_map(section, "a", place))
}

fn one(text: &str) -> Spec {
    let mut specs = read(text, Place::Span).expect("fits");
    assert_eq!(specs.len(), 1);
    specs.remove(0)
}

fn pool(text: &str) -> (Choice, Pool) {
    match one(text).values {
        Values::Pool { choice, pool } => (choice, pool),
        other => panic!("no pool: {other:?}"),
    }
}

#[test]
fn fixed_values_of_every_type_are_read() {
    let text = |text: &str| Value::Text(text.to_owned());
    for (yaml, expected) in [
        ("shop", text("shop")),
        ("'12'", text("12")),
        ("yes", text("yes")),
        ("2024-01-02", text("2024-01-02")),
        ("true", Value::Bool(true)),
        ("-12", Value::Int(-12)),
        ("9007199254740993", Value::Int(9_007_199_254_740_993)),
        ("1.0", Value::Double(1.0)),
        ("-.inf", Value::Double(f64::NEG_INFINITY)),
        ("", Value::Empty),
        ("{bytes: AAH/}", Value::Bytes(vec![0, 1, 255])),
        (
            "[a, 1, [true]]",
            Value::List(vec![
                text("a"),
                Value::Int(1),
                Value::List(vec![Value::Bool(true)]),
            ]),
        ),
        (
            "{map: {b: 1, a: {map: {c: {bytes: ''}}}}}",
            Value::Map(vec![
                Attribute::int("b", 1),
                Attribute::new(
                    "a",
                    Value::Map(vec![Attribute::new("c", Value::Bytes(Vec::new()))]),
                ),
            ]),
        ),
        (
            "[{map: {a: 1}}]",
            Value::List(vec![Value::Map(vec![Attribute::int("a", 1)])]),
        ),
    ] {
        let read = one(&format!("a: {{k: {yaml}}}"));
        assert_eq!(read, Spec::fixed("k", expected), "{yaml}");
    }
}

#[test]
fn pool_is_drawn_evenly_and_named_by_its_format() {
    let (choice, pool) = pool("a: {user.id: {cardinality: 1000, format: 'u-{n:04}'}}");
    let mut random = Random::new(4);
    let mut counts = vec![0_u32; 1_000];
    for _ in 0..1_000_000 {
        counts[choice.draw(&mut random, 0) as usize] += 1;
    }
    // Mean 1000, standard deviation 32.
    assert!(counts.iter().all(|count| (840..1_160).contains(count)));
    assert_eq!(pool.value(7), Value::Text("u-0007".to_owned()));
}

#[test]
fn zipf_prefers_the_first_values() {
    let (choice, pool) = pool("a: {k: {cardinality: 100, distribution: zipf, integer: true}}");
    let mut random = Random::new(4);
    let firsts = (0..100_000)
        .filter(|_| choice.draw(&mut random, 0) == 0)
        .count();
    // 1 / (1 + 1/2 + ... + 1/100)
    assert!((18_800..19_800).contains(&firsts), "{firsts}");
    assert_eq!(pool.value(3), Value::Int(3));
}

#[test]
fn listed_values_come_by_weight() {
    let (choice, pool) = pool("a: {k: {values: [GET, {value: 5, weight: 3}]}}");
    let mut random = Random::new(4);
    let seconds = (0..100_000)
        .filter(|_| choice.draw(&mut random, 0) == 1)
        .count();
    assert!((74_000..76_000).contains(&seconds), "{seconds}");
    assert_eq!(pool.value(0), Value::Text("GET".to_owned()));
    assert_eq!(pool.value(1), Value::Int(5));
}

#[test]
fn growing_values_become_more_with_the_items_of_the_run() {
    let (choice, _) = pool("a: {k: {growing: {start: 10, per_million: 2000}}}");
    assert_eq!(
        [0, 499, 500, 1_000_000].map(|number| choice.count(number)),
        [10, 10, 11, 2_010]
    );
    let mut random = Random::new(4);
    let drawn = (0..10_000).map(|_| choice.draw(&mut random, 1_000_000));
    let max = drawn.max().expect("drawn");
    assert!((2_000..2_010).contains(&max), "{max}");
    let early = (0..10_000).map(|_| choice.draw(&mut random, 0)).max();
    assert_eq!(early, Some(9));
    assert_eq!(choice.count(u64::MAX), 1 << 32);
}

#[test]
fn mistakes_are_located() {
    let wrong = [
        ("a: [x]", Place::Span),
        ("a: {k: 18446744073709551615}", Place::Span),
        ("a: {k: {bytes: '?'}}", Place::Span),
        ("a: {k: {}}", Place::Span),
        ("a: {k: {cardinalty: 5}}", Place::Span),
        ("a: {k: {format: 'u-{n}'}}", Place::Span),
        ("a: {k: {cardinality: 0}}", Place::Span),
        ("a: {k: {cardinality: 5, values: [a]}}", Place::Span),
        ("a: {k: {cardinality: 5, distribution: zip}}", Place::Span),
        ("a: {k: {cardinality: 5, exponent: 2}}", Place::Span),
        (
            "a: {k: {cardinality: 5, distribution: zipf, exponent: -1}}",
            Place::Span,
        ),
        ("a: {k: {cardinality: 5, format: u}}", Place::Span),
        (
            "a: {k: {cardinality: 5, format: '{n}', integer: true}}",
            Place::Span,
        ),
        ("a: {k: {growing: {start: 0}}}", Place::Span),
        ("a: {k: {growing: {start: 1}, exponent: 1}}", Place::Span),
        ("a: {k: {values: []}}", Place::Span),
        ("a: {k: {values: [{value: a, weight: 0}]}}", Place::Span),
        ("a: {k: {by_status: {unset: 1, error: 2}}}", Place::Span),
        ("a: {k: {by_status: {unset: 1}}}", Place::Item),
        ("a: {k: {random: 8}}", Place::Resource),
        ("a: {k: {cardinality: 5}}", Place::Part),
        ("a: {k: {random: 0}}", Place::Span),
    ]
    .map(|(text, place)| read(text, place).expect_err(text));
    insta::assert_snapshot!(wrong.join("\n"));
}
