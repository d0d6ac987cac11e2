//! What goes in comes out again, by decoders that are not ours.

use std::io::Read;

use flate2::bufread::GzDecoder;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::code::{Code, LENGTH_MAX, codes, lengths};
use super::matches::{Matcher, Meaning, WINDOW_BYTES};
use super::{BLOCK_PIECES, Gzip};

/// Compresses pieces and answers the stream and the text.
fn compressed(pieces: &[Vec<u8>]) -> (Vec<u8>, Vec<u8>) {
    let mut stream = Vec::new();
    let mut gzip = Gzip::new(&mut stream);
    for (index, piece) in pieces.iter().enumerate() {
        gzip.text().extend_from_slice(piece);
        gzip.encode(&mut stream, index + 1 == pieces.len());
    }
    (stream, pieces.concat())
}

/// The decoder checks CRC and length; nothing may be left behind the trailer.
fn check(pieces: &[Vec<u8>]) -> usize {
    let (stream, text) = compressed(pieces);
    let mut decoder = GzDecoder::new(stream.as_slice());
    let mut back = Vec::new();
    decoder.read_to_end(&mut back).expect("a gzip stream");
    assert!(
        back == text,
        "{} bytes came back as {}",
        text.len(),
        back.len()
    );
    assert_eq!(decoder.into_inner().len(), 0);
    stream.len()
}

fn series(set: usize, value: u64, end: &str, out: &mut String) {
    use std::fmt::Write as _;
    let labels = format!(
        "http_method=\"GET\",job=\"shop/checkout\",service_name=\"checkout\",\
         span_name=\"GET /cart/{{id}}/items/{set}\",status_code=\"STATUS_CODE_UNSET\""
    );
    for le in ["0.001", "0.005", "1", "5", "10", "+Inf"] {
        writeln!(out, "duration_bucket{{{labels},le=\"{le}\"}} {value}{end}").expect("memory");
    }
    writeln!(out, "duration_sum{{{labels}}} {value}.25{end}").expect("memory");
}

fn exposition(sets: usize) -> Vec<u8> {
    let mut text = "# HELP duration \n# TYPE duration histogram\n".to_owned();
    for set in 0..sets {
        series(set, set as u64 * 31 % 5000, " 1795579934828", &mut text);
    }
    text.into_bytes()
}

#[test]
fn nothing_and_single_bytes_are_streams_too() {
    check(&[vec![]]);
    check(&[vec![], vec![], vec![]]);
    for byte in 0..=255 {
        check(&[vec![byte]]);
    }
    check(&[b"# EOF\n".to_vec()]);
}

#[test]
fn matches_of_every_length_come_back() {
    for bytes in (1..800).chain([0xfffe, 0xffff, 0x1_0000, 0x1_0001, 0x1_0101, 0x2_0000]) {
        check(&[vec![b'a'; bytes]]);
        let unit: Vec<u8> = (0..bytes.min(9000))
            .map(|at| ((at * at) >> 3) as u8)
            .collect();
        check(&[[&unit[..], b"|", &unit, b"!"].concat()]);
    }
}

#[test]
fn matches_of_every_distance_come_back() {
    let mark = b"a mark of more than sixteen bytes";
    let noise: Vec<u8> = (0..WINDOW_BYTES as u32 + 64)
        .map(|at| (at.wrapping_mul(0x9e37_79b1) >> 24) as u8)
        .collect();
    let around = |power: usize| power.saturating_sub(2)..power + 3;
    let between = (0..16).flat_map(|power| around(1 << power));
    for bytes in between.filter(|bytes| *bytes <= noise.len()) {
        check(&[[mark, &noise[..bytes], mark].concat()]);
    }
}

#[test]
fn pieces_of_every_size_around_the_window_come_back() {
    let text = exposition(400);
    for piece in [
        1,
        5,
        500,
        32_767,
        32_768,
        32_769,
        65_536,
        70_000,
        text.len(),
    ] {
        let text = if piece < 100 { &text[..3_000] } else { &text };
        check(&text.chunks(piece).map(<[u8]>::to_vec).collect::<Vec<_>>());
    }
}

/// The code of a block is made from its first piece: what comes later may be all else.
#[test]
fn text_that_changes_within_a_block_comes_back() {
    let noise: Vec<u8> = (0..70_000_u32)
        .map(|at| (at.wrapping_mul(0x9e37_79b1) >> 22) as u8)
        .collect();
    let mut pieces = vec![vec![b'a'; 70_000], noise, exposition(50)];
    for _ in 0..2 * BLOCK_PIECES {
        pieces.push((0..=255).cycle().take(3_000).collect());
        pieces.push(exposition(70));
    }
    check(&pieces);
    check(&[pieces.concat(), vec![]]);
}

#[test]
fn labels_longer_than_the_window_come_back() {
    let long: String = (0..50_000_u64)
        .map(|at| char::from(b'a' + (at * at % 23) as u8))
        .collect();
    let line = format!("calls{{name=\"{long}\"}} 1\n");
    check(&[line.repeat(5).into_bytes(), line.into_bytes()]);
}

#[test]
fn an_exposition_shrinks_about_as_much_as_with_zlib() {
    use std::io::Write as _;
    let text = exposition(2_000);
    let pieces: Vec<Vec<u8>> = text.chunks(64 << 10).map(<[u8]>::to_vec).collect();
    let mut zlib = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(&text).expect("memory");
    let zlib = zlib.finish().expect("memory").len();
    let ours = check(&pieces);
    assert!(ours * 2 < zlib * 3, "{ours} bytes, zlib {zlib}");
}

/// Text of few words, so that there are matches of all kinds, or of any bytes.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        8 => "[a-c]{1,6}".prop_map(String::into_bytes),
        4 => Just(b"duration_bucket{service_name=\"checkout\",span_name=\"GET /cart\",le=\"".to_vec()),
        2 => any::<[u8; 3]>().prop_map(Vec::from),
        1 => (any::<u8>(), 1..2_000_usize).prop_map(|(byte, count)| vec![byte; count]),
        1 => (any::<u8>(), 1..70_000_usize).prop_map(|(seed, count)| {
            (0..count).map(|at| ((at / 7) as u8 ^ seed).wrapping_mul(at as u8 & 15)).collect()
        }),
    ];
    proptest::collection::vec(word, 0..120).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_in_any_pieces_comes_back(pieces in proptest::collection::vec(text(), 1..12)) {
        check(&pieces);
    }

    #[test]
    fn an_exposition_of_any_values_comes_back(
        sets in proptest::collection::vec((any::<u16>(), any::<u64>()), 1..300),
        end in "( [0-9]{1,13}(\\.[0-9]{3})?)?",
        piece in 100..70_000_usize,
    ) {
        let mut text = String::new();
        for (set, value) in sets {
            series(usize::from(set), value, &end, &mut text);
        }
        check(&text.as_bytes().chunks(piece).map(<[u8]>::to_vec).collect::<Vec<_>>());
    }

    #[test]
    fn tokens_say_the_text(text in text()) {
        let mut tokens = Vec::new();
        Matcher::new().find(&text, 0, &mut tokens);
        let mut said: Vec<u8> = Vec::new();
        for token in tokens {
            match token.meaning() {
                Meaning::Literal(byte) => said.push(byte),
                Meaning::Match { bytes, distance } => {
                    prop_assert!(distance <= said.len().min(WINDOW_BYTES));
                    for _ in 0..bytes {
                        said.push(said[said.len() - distance]);
                    }
                }
            }
        }
        prop_assert!(said == text);
    }

    #[test]
    fn codes_are_complete_and_no_symbol_starts_another(
        counts in proptest::array::uniform32(prop_oneof![Just(0_u32), 1..9_u32, 1..1_000_000_u32]),
    ) {
        for length_max in [7, LENGTH_MAX] {
            let lengths = lengths(counts, length_max);
            for (count, length) in counts.iter().zip(&lengths) {
                prop_assert!(*count == 0 || (1..=length_max).contains(&usize::from(*length)));
            }
            let used = lengths.iter().filter(|length| **length > 0);
            prop_assert_eq!(used.map(|length| 1 << (LENGTH_MAX as u8 - length)).sum::<u32>(), 1 << LENGTH_MAX);
            let codes = codes(&lengths);
            let used = || codes.iter().enumerate().filter(|(_, code)| code.length > 0);
            for (a, code) in used() {
                for (b, other) in used().filter(|(b, _)| *b != a) {
                    prop_assert!(!starts(*code, *other), "{a} {b}");
                }
            }
        }
    }

    /// Against the obvious way: join the two rarest until one is left.
    #[test]
    fn a_code_without_limit_costs_as_little_as_can_be(
        counts in proptest::array::uniform20(0..1_000_u32),
    ) {
        let lengths = lengths(counts, LENGTH_MAX);
        let cost: u32 = counts.iter().zip(&lengths).map(|(count, length)| count * u32::from(*length)).sum();
        let mut weights: Vec<u32> = counts.into_iter().filter(|count| *count > 0).collect();
        let mut least = 0;
        while weights.len() > 1 {
            weights.sort_unstable_by(|a, b| b.cmp(a));
            let joined = weights.pop().expect("two") + weights.pop().expect("two");
            least += joined;
            weights.push(joined);
        }
        proptest::prop_assume!(lengths.iter().all(|length| usize::from(*length) < LENGTH_MAX));
        proptest::prop_assume!(counts.iter().filter(|count| **count > 0).count() > 1);
        prop_assert_eq!(cost, least);
    }
}

fn starts(code: Code, other: Code) -> bool {
    code.length <= other.length && other.bits & ((1 << code.length) - 1) == code.bits
}

/// Fibonacci's numbers make the deepest tree.
#[test]
fn lengths_stay_within_their_limit() {
    let mut counts = [1_u32; 30];
    for at in 2..counts.len() {
        counts[at] = counts[at - 1] + counts[at - 2];
    }
    for length_max in [5, 7, LENGTH_MAX] {
        let lengths = lengths(counts, length_max);
        assert_eq!(
            usize::from(*lengths.iter().max().expect("some")),
            length_max
        );
        let total: u32 = lengths
            .iter()
            .map(|length| 1 << (length_max as u8 - length))
            .sum();
        assert_eq!(total, 1 << length_max);
        assert!(lengths.is_sorted_by(|a, b| a >= b), "{lengths:?}");
    }
}
