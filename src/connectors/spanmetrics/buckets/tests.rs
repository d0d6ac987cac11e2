//! The kernel, its simple form and a version that compares floats agree, at every edge.

use proptest::prelude::*;

use super::*;

fn buckets(unit: Unit, bounds_ns: Vec<i64>) -> Buckets {
    Buckets::new(&HistogramOptions { unit, bounds_ns })
}

/// What the Collector does: floats, and a search for the first bound that is not below the value.
fn naive_index(unit: Unit, bounds_ns: &[i64], duration_ns: u64) -> usize {
    let nanos = unit.nanos();
    let value = duration_ns as f64 / nanos;
    let (mut low, mut high) = (0, bounds_ns.len());
    while low < high {
        let middle = low.midpoint(high);
        if bounds_ns[middle] as f64 / nanos >= value {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// Everything near a bound, near its threshold, and at the ends.
fn edges(buckets: &Buckets, bounds_ns: &[i64]) -> Vec<u64> {
    let bounds = bounds_ns.iter().map(|bound| bound.unsigned_abs());
    let thresholds = buckets.thresholds.iter().flatten().copied();
    let near = |at: u64| (0..5).map(move |step| at.saturating_add(step).saturating_sub(2));
    let octaves = (0..64).map(|octave| 1 << octave);
    bounds
        .chain(thresholds)
        .chain(octaves)
        .chain([0, u64::MAX])
        .flat_map(near)
        .collect()
}

/// Kernel and naive version agree on each duration and on all of them together.
fn check(unit: Unit, bounds_ns: &[i64]) {
    let buckets = buckets(unit, bounds_ns.to_vec());
    let durations_ns = edges(&buckets, bounds_ns);
    let words = usize::from(buckets.count()) + SUM_WORDS;
    // Two rows, apart from each other.
    let offset = |at: usize| (at % 2 * (words + 1)) as u32;
    let offsets: Vec<u32> = (0..durations_ns.len()).map(offset).collect();
    let mut rows = vec![0; 2 * words + 1];
    let mut wanted = rows.clone();
    buckets.observe(&durations_ns, &offsets, &mut rows);
    for (duration_ns, offset) in durations_ns.iter().zip(&offsets) {
        let index = naive_index(unit, bounds_ns, *duration_ns);
        assert_eq!(buckets.index(*duration_ns), index, "{duration_ns} ns");
        let row = &mut wanted[*offset as usize..];
        let sum = u128::from(row[0]) | u128::from(row[1]) << 64;
        let sum = sum + u128::from(*duration_ns);
        (row[0], row[1]) = (sum as u64, (sum >> 64) as u64);
        row[SUM_WORDS + index] += 1;
    }
    assert_eq!(rows, wanted);
}

#[test]
fn known_lists_decide_as_the_collector_does() {
    let guide = [1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000];
    let defaults = [
        2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1_000, 1_400, 2_000, 5_000, 10_000, 15_000,
    ];
    for list in [&guide[..], &defaults[..], &[]] {
        let bounds_ns: Vec<i64> = list.iter().map(|ms| ms * 1_000_000).collect();
        check(Unit::Milliseconds, &bounds_ns);
        check(Unit::Seconds, &bounds_ns);
    }
}

/// From one threshold an octave to more than the fast form takes, in order and not.
#[test]
fn each_kernel_decides_as_the_collector_does() {
    let is = |bounds_ns: &[i64]| {
        check(Unit::Milliseconds, bounds_ns);
        buckets(Unit::Milliseconds, bounds_ns.to_vec()).kernel
    };
    assert!(matches!(is(&[1 << 20, 1 << 21]), Kernel::One(_)));
    assert!(matches!(is(&[-1, 0, 1]), Kernel::Two(_)));
    assert!(matches!(is(&[64, 64, 64]), Kernel::Four(_)));
    assert!(matches!(is(&[64, 65, 66, 67, 68]), Kernel::Search));
    assert!(matches!(is(&[1 << 20, 1 << 10]), Kernel::Search));
}

#[test]
fn every_count_of_rows_is_handled() {
    let buckets = buckets(Unit::Seconds, vec![1_000, 2_000]);
    for rows in [0, 1, 3, 4, 5, 15, 16, 17, 63, 64, 65] {
        let mut row = vec![0; 5];
        buckets.observe(&vec![1_500; rows], &vec![0; rows], &mut row);
        assert_eq!(row, [1_500 * rows as u64, 0, 0, rows as u64, 0]);
    }
}

/// One bad offset among good ones, wherever it stands: no row is touched beyond the end.
#[test]
fn an_offset_without_a_row_is_refused() {
    for bad in [1, 2, 1 << 30, 1 << 31, u32::MAX] {
        for at in [0, 5, 15, 16, 17] {
            let mut offsets = [0; 18];
            offsets[at] = bad;
            assert!(!has_rows(&offsets, 5, 5), "{bad} at {at}");
        }
    }
    assert!(has_rows(&[0; 18], 5, 5));
    assert!(has_rows(&[3, 0, 2, 1], 5, 8));
    assert!(!has_rows(&[0], 5, 4));
    assert!(has_rows(&[], 5, 4));
}

proptest! {
    #[test]
    fn any_list_decides_as_the_collector_does(
        bounds_ns in proptest::collection::vec(
            prop_oneof![
                -3_i64..2_000,
                any::<i64>(),
                (0_i64..20_000).prop_map(|ms| ms * 1_000_000),
                (0_u32..63).prop_map(|octave| 1 << octave),
            ],
            0..20,
        ),
        is_sorted in any::<bool>(),
        is_seconds in any::<bool>(),
    ) {
        let mut bounds_ns = bounds_ns;
        if is_sorted {
            bounds_ns.sort_unstable();
        }
        check(if is_seconds { Unit::Seconds } else { Unit::Milliseconds }, &bounds_ns);
    }
}
