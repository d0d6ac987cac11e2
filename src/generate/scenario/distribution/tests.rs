//! What is drawn has the moments that were asked for; what is no distribution is refused.

use super::super::tests;
use super::*;

fn read(text: &str, unit: Unit) -> Result<Distribution, String> {
    tests::read(text, |section| Distribution::read(section, "d", unit))
        .map(|read| read.expect("given"))
}

/// Sorted draws with a fixed seed.
fn draws(text: &str, unit: Unit) -> Vec<f64> {
    let distribution = read(text, unit).expect("fits");
    let mut random = Random::new(11);
    let mut draws: Vec<f64> = (0..100_000)
        .map(|_| distribution.draw(&mut random))
        .collect();
    draws.sort_by(f64::total_cmp);
    draws
}

fn near(got: f64, wanted: f64, tolerance: f64) {
    assert!(
        (got - wanted).abs() <= tolerance * wanted.abs(),
        "{got} for {wanted}"
    );
}

#[test]
fn constants_are_always_the_same() {
    for text in ["d: 5ms", "d: {constant: 5ms}"] {
        let draws = draws(text, Unit::Nanoseconds);
        assert!(draws.iter().all(|draw| draw.to_bits() == 5e6_f64.to_bits()));
    }
    assert_eq!(
        read("d: -2.5", Unit::Number),
        Ok(Distribution::Constant(-2.5))
    );
}

#[test]
fn uniform_fills_its_range_evenly() {
    let draws = draws("d: {uniform: {min: 10ms, max: 30ms}}", Unit::Nanoseconds);
    assert!(draws[0] >= 10e6 && draws[99_999] < 30e6);
    for (index, wanted) in [(25_000, 15e6), (50_000, 20e6), (75_000, 25e6)] {
        near(draws[index], wanted, 0.01);
    }
}

#[test]
fn log_normal_has_its_median_and_spread() {
    let draws = draws(
        "d: {log_normal: {median: 20ms, sigma: 0.6}}",
        Unit::Nanoseconds,
    );
    near(draws[50_000], 20e6, 0.01);
    // One standard deviation above the median lies the quantile 0.8413.
    near(draws[84_134], 20e6 * 0.6_f64.exp(), 0.015);
    let mean = draws.iter().sum::<f64>() / 1e5;
    near(mean, 20e6 * (0.6_f64 * 0.6 / 2.0).exp(), 0.01);
}

#[test]
fn log_normal_is_cut_at_its_maximum() {
    let draws = draws(
        "d: {log_normal: {median: 20, sigma: 2, max: 100}}",
        Unit::Number,
    );
    near(draws[99_999], 100.0, 0.0);
    near(draws[50_000], 20.0, 0.03);
}

#[test]
fn bimodal_has_two_humps_of_the_given_shares() {
    let draws = draws(
        "d: {bimodal: {low: 5ms, high: 500ms, high_share: 0.25, sigma: 0.1}}",
        Unit::Nanoseconds,
    );
    let slow = draws.iter().filter(|draw| **draw > 50e6).count();
    near(slow as f64, 25_000.0, 0.02);
    near(draws[37_500], 5e6, 0.01);
    near(draws[87_500], 500e6, 0.01);
}

#[test]
fn bimodal_durations_end_at_the_hour_that_ends_all() {
    let draws = draws(
        "d: {bimodal: {low: 2m, high: 50m, high_share: 0.5, sigma: 0.5}}",
        Unit::Nanoseconds,
    );
    near(draws[99_999], 3_600e9, 0.0);
    near(draws[75_000], 3_000e9, 0.02);
}

#[test]
fn table_has_its_values_by_weight() {
    let draws = draws(
        "d: {table: [{value: 1ms, weight: 6}, {value: 2ms, weight: 3}, {value: 1s}]}",
        Unit::Nanoseconds,
    );
    for (value, wanted) in [(1e6, 60_000.0), (2e6, 30_000.0), (1e9, 10_000.0_f64)] {
        let count = draws
            .iter()
            .filter(|draw| draw.to_bits() == f64::to_bits(value))
            .count();
        near(count as f64, wanted, 0.02);
    }
}

#[test]
fn mistakes_are_located() {
    let wrong = [
        "d: soon",
        "d: -5ms",
        "d: 2h",
        "d: {lognormal: {median: 5ms}}",
        "d: {}",
        "d: {constant: 1ms, uniform: {max: 5ms}}",
        "d: {uniform: {min: 5ms}}",
        "d: {uniform: {min: 5ms, max: 1ms}}",
        "d: {log_normal: {sigma: 0.5}}",
        "d: {log_normal: {median: 0s}}",
        "d: {log_normal: {median: 1ms, sigma: -1}}",
        "d: {bimodal: {low: 5ms, high: 1s, high_share: 1.5}}",
        "d: {table: []}",
        "d: {table: [{value: 5ms, weight: 0}]}",
        "d: {table: [{weight: 1}]}",
    ]
    .map(|text| read(text, Unit::Nanoseconds).expect_err(text));
    insta::assert_snapshot!(wrong.join("\n"));
}
