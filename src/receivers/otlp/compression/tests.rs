//! Bodies made by the compressor of flate2, and broken ones.

use std::io::Write;

use bytes::Bytes;
use flate2::{Compression, GzBuilder, write::GzEncoder};
use proptest::prelude::{Strategy, any, proptest};

use super::super::admission::Room;
use super::super::body::Held;
use super::super::buffers::Buffers;
use super::super::error::ReceiveError;
use super::{InflateError, Inflaters};
use crate::workers::budget::Budget;

const LIMIT: u64 = 1 << 20;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

/// Inflates within 1 MiB and `budget`, and checks that every byte of it is given back.
fn gunzip_within(budget: &Budget, input: &[u8]) -> Result<Vec<u8>, ReceiveError> {
    let room = Room {
        budget,
        bytes_max: LIMIT,
    };
    let inflaters = Inflaters::default();
    let buffers = Buffers::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let inflated = runtime.expect("a runtime").block_on(async {
        let held = Held {
            bytes: Bytes::copy_from_slice(input),
            permit: room.take(input.len() as u64)?,
        };
        inflaters.gunzip(held, room, &buffers).await
    });
    let bytes = inflated.map(|held| {
        assert_eq!(held.permit.bytes(), held.bytes.len() as u64);
        assert_eq!(budget.bytes_taken(), held.permit.bytes());
        held.bytes.to_vec()
    });
    assert_eq!(budget.bytes_taken(), 0);
    bytes
}

fn gunzip(input: &[u8]) -> Result<Vec<u8>, ReceiveError> {
    gunzip_within(&Budget::new(u64::MAX), input)
}

fn text(bytes: usize) -> Vec<u8> {
    (0..bytes)
        .map(|index| u8::try_from(index / 7 % 251).expect("below 251"))
        .collect()
}

#[test]
fn bodies_of_any_length_up_to_the_limit_come_back() {
    for bytes in [0, 1, 100, 65_535, 65_536, 65_537, 400_000, 1 << 20] {
        let body = text(bytes);
        assert_eq!(gunzip(&gzip(&body)), Ok(body), "{bytes}");
    }
}

#[test]
fn members_follow_each_other() {
    let mut two = gzip(b"first, ");
    two.extend(gzip(&text(200_000)));
    two.extend(gzip(b""));
    let mut expected = b"first, ".to_vec();
    expected.extend(text(200_000));
    assert_eq!(gunzip(&two), Ok(expected));
}

#[test]
fn header_with_every_field_is_understood() {
    let mut encoder = GzBuilder::new()
        .extra(vec![7; 300])
        .filename("name")
        .comment("a comment")
        .mtime(1)
        .write(Vec::new(), Compression::best());
    encoder.write_all(b"body").expect("in memory");
    let body = encoder.finish().expect("in memory");
    assert_eq!(gunzip(&body), Ok(b"body".to_vec()));
    for cut in 1..body.len() {
        assert!(gunzip(&body[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn broken_bodies_are_told_in_the_words_of_the_reference() {
    let good = gzip(&text(1000));
    let changed = |index: usize| {
        let mut bad = good.clone();
        bad[index] ^= 1;
        bad
    };
    let junk = |junk: &[u8]| [&gzip(b""), junk].concat();
    for (body, words) in [
        (Vec::new(), "EOF"),
        (b"hello".to_vec(), "unexpected EOF"),
        (b"hello hello hello".to_vec(), "gzip: invalid header"),
        (changed(2), "gzip: invalid header"),
        (changed(good.len() - 5), "gzip: invalid checksum"),
        (good[..good.len() - 1].to_vec(), "unexpected EOF"),
        (good[..good.len() - 20].to_vec(), "unexpected EOF"),
        (good[..10].to_vec(), "unexpected EOF"),
        (junk(b"junk"), "unexpected EOF"),
        (junk(b"junk junk junk"), "gzip: invalid header"),
    ] {
        let error = gunzip(&body).expect_err("broken");
        assert_eq!(error.to_string(), words, "{body:?}");
    }
    let mut corrupt = gzip(&text(1000))[..10].to_vec();
    corrupt.extend([0xff; 20]);
    let error = gunzip(&corrupt).expect_err("broken").to_string();
    assert!(
        error.starts_with("flate: corrupt input before offset "),
        "{error}"
    );
}

#[test]
fn announced_length_beyond_the_limit_is_refused_before_inflating() {
    let budget = Budget::new(200_000);
    let bomb = gzip(&vec![0; 4 << 20]);
    let bytes_max = LIMIT;
    assert_eq!(
        gunzip_within(&budget, &bomb),
        Err(ReceiveError::TooLargeInflated { bytes_max })
    );
}

/// A trailer that lies, or a first member that is the bomb, is stopped at the limit or the budget.
#[test]
fn bomb_with_a_small_announced_length_stops_at_limit_and_budget() {
    let mut bomb = gzip(&vec![0; 4 << 20]);
    bomb.extend(gzip(b"small"));
    let bytes_max = LIMIT;
    assert_eq!(
        gunzip(&bomb),
        Err(ReceiveError::TooLargeInflated { bytes_max })
    );
    let budget = Budget::new(LIMIT / 2);
    assert!(gunzip_within(&budget, &bomb).is_err());
}

#[test]
fn body_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
    let limit = usize::try_from(LIMIT).expect("small");
    let mut exact = gzip(&vec![0; limit - 5]);
    exact.extend(gzip(b"12345"));
    assert_eq!(gunzip(&exact).map(|body| body.len()), Ok(limit));
    let mut more = gzip(&vec![0; limit - 5]);
    more.extend(gzip(b"123456"));
    let bytes_max = LIMIT;
    assert_eq!(
        gunzip(&more),
        Err(ReceiveError::TooLargeInflated { bytes_max })
    );
}

proptest! {
    #[test]
    fn foreign_bytes_never_panic_and_never_keep_the_budget(
        mut body in proptest::collection::vec(any::<u8>(), 0..300)
            .prop_map(|body| gzip(&body)),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<proptest::sample::Index>(),
    ) {
        let index = at.index(body.len());
        body[index] = byte;
        body.truncate(cut.index(body.len()) + 1);
        let _ = gunzip(&body);
    }

    #[test]
    fn foreign_bytes_behind_a_good_header_never_panic(
        tail in proptest::collection::vec(any::<u8>(), 0..300),
        flags in 0_u8..32,
    ) {
        let mut body = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 0];
        body.extend(tail);
        let _ = gunzip(&body);
    }
}

#[test]
fn only_first_header_errors_count_as_such() {
    assert!(InflateError::Header.is_first_header());
    assert!(!InflateError::NextMember { cut_short: false }.is_first_header());
}
