//! Whatever is asked for is encoded as prost reads it, and adds up.

use proptest::prelude::*;

use super::super::*;
use super::{compare, world_of};
use crate::generate::scenario::attributes::{Choice, Pool, Spec, Values};
use crate::generate::scenario::distribution::Distribution;
use crate::generate::value::Value;

fn kind() -> impl Strategy<Value = Kind> {
    let temporality = || prop_oneof![Just(Temporality::Delta), Just(Temporality::Cumulative)];
    let bounds = prop::collection::btree_set(-1_000_i32..1_000, 0..20);
    prop_oneof![
        Just(Kind::Gauge),
        (temporality(), any::<bool>()).prop_map(|(temporality, is_monotonic)| Kind::Sum {
            temporality,
            is_monotonic
        }),
        (temporality(), bounds, any::<bool>()).prop_map(|(temporality, bounds, has_min_max)| {
            Kind::Histogram {
                temporality,
                bounds: bounds.into_iter().map(f64::from).collect(),
                has_min_max,
            }
        }),
        (
            temporality(),
            SCALE_MIN..=SCALE_MAX,
            0.0..2.0,
            any::<bool>()
        )
            .prop_map(|(temporality, scale, zero_threshold, has_min_max)| {
                Kind::ExponentialHistogram {
                    temporality,
                    scale,
                    zero_threshold,
                    has_min_max,
                }
            }),
        prop::collection::vec(0.0..=1.0, 0..5).prop_map(|mut quantiles: Vec<f64>| {
            quantiles.sort_by(f64::total_cmp);
            Kind::Summary { quantiles }
        }),
    ]
}

fn attributes() -> impl Strategy<Value = Vec<Spec>> {
    let values = prop_oneof![
        any::<i64>().prop_map(|number| Values::Fixed(Value::Int(number))),
        ".*".prop_map(|text| Values::Fixed(Value::Text(text))),
        any::<bool>().prop_map(|bool| Values::Fixed(Value::Bool(bool))),
        (1_u32..4).prop_map(|count| Values::Pool {
            choice: Choice::Uniform { count },
            pool: Pool::Integer,
        }),
        (1_u64..4, 1_u64..200_000).prop_map(|(start, per_million)| Values::Pool {
            choice: Choice::Growing { start, per_million },
            pool: Pool::Integer,
        }),
        (16_usize..40).prop_map(|digits| Values::Random { digits }),
    ];
    prop::collection::vec(values, 0..4).prop_map(|values| {
        let keys = (0..).map(|index| format!("key.{index}"));
        keys.zip(values)
            .map(|(key, values)| Spec { key, values })
            .collect()
    })
}

prop_compose! {
    fn metric()(
        kind in kind(),
        is_int in any::<bool>(),
        least in -100.0..100.0_f64,
        width in 0.0..1e6_f64,
        measurements in 1_u32..20,
        attributes in attributes(),
        unit in "[a-z{}]{0,8}",
        has_start_time in any::<bool>(),
        exemplar_share in 0.0..1.0,
        no_value_share in 0.0..0.5,
    ) -> Metric {
        Metric {
            name: "to be numbered".to_owned(),
            unit,
            description: String::new(),
            scope: "scope".to_owned(),
            kind,
            number: if is_int { Number::Int } else { Number::Double },
            value: Distribution::Uniform { min: least, max: least + width },
            measurements,
            attributes,
            services: Vec::new(),
            has_start_time,
            exemplar_share,
            no_value_share,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_metrics_are_decoded_as_they_were_meant(
        mut metrics in prop::collection::vec(metric(), 1..5),
        items in 1_u32..80,
        requests in 1_u64..12,
    ) {
        for (index, metric) in metrics.iter_mut().enumerate() {
            metric.name = format!("metric.{index}");
        }
        // An even number of requests: they are made in swapped pairs.
        compare(&world_of(&metrics, items), 2 * requests, items);
    }
}
