//! Counts of symbols in, a prefix code out, as RFC 1951 (section 3.2.2) wants it.
#![allow(
    clippy::cast_possible_truncation,
    reason = "lengths are at most 15, symbols at most 286"
)]

/// Of literals, lengths and distances.
pub(super) const LENGTH_MAX: usize = 15;

/// How a symbol is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Code {
    /// In the order in which they are sent, the first one lowest.
    pub(super) bits: u16,
    /// 0: the symbol does not occur.
    pub(super) length: u8,
}

/// Lengths of the code for symbols that occur so often: the shortest one whose lengths are at most
/// `length_max`, or nearly. It has two symbols at least: some decoders want a complete code.
pub(super) fn lengths<const N: usize>(mut counts: [u32; N], length_max: usize) -> [u8; N] {
    for symbol in 0..2 {
        if counts.iter().filter(|count| **count > 0).count() < 2 {
            counts[symbol] = counts[symbol].max(1);
        }
    }
    let mut rising: Vec<u16> = (0..N as u16)
        .filter(|symbol| counts[usize::from(*symbol)] > 0)
        .collect();
    rising.sort_by_key(|symbol| counts[usize::from(*symbol)]);
    let leaves: Vec<u32> = rising.iter().map(|at| counts[usize::from(*at)]).collect();
    let of_length = limited(&depths(&leaves), length_max);
    let mut lengths = [0; N];
    // The rarest symbols get the longest.
    let mut symbols = rising.into_iter();
    for (length, count) in of_length.iter().enumerate().rev() {
        for symbol in symbols.by_ref().take(*count) {
            lengths[usize::from(symbol)] = length as u8;
        }
    }
    lengths
}

/// Depths of the leaves of Huffman's tree, in their order. Two queues, leaves and nodes: both come in
/// rising order, so the two smallest are at their heads.
fn depths(leaves: &[u32]) -> Vec<usize> {
    let node_count = 2 * leaves.len() - 1;
    let mut weights = leaves.to_vec();
    let mut parents = vec![0; node_count];
    let (mut leaf, mut node) = (0, leaves.len());
    while weights.len() < node_count {
        let mut weight = 0;
        for _ in 0..2 {
            let is_leaf =
                leaf < leaves.len() && (node >= weights.len() || weights[leaf] <= weights[node]);
            let smallest = if is_leaf { &mut leaf } else { &mut node };
            parents[*smallest] = weights.len();
            weight += weights[*smallest];
            *smallest += 1;
        }
        weights.push(weight);
    }
    // A parent comes behind its children.
    let mut depths = vec![0; node_count];
    for node in (0..node_count - 1).rev() {
        depths[node] = depths[parents[node]] + 1;
    }
    depths.truncate(leaves.len());
    depths
}

/// How many leaves get each length. What is too deep moves up to `length_max`; to make room for it
/// shorter leaves go one down, the deepest first.
fn limited(depths: &[usize], length_max: usize) -> [usize; LENGTH_MAX + 1] {
    let mut of_length = [0; LENGTH_MAX + 1];
    for depth in depths {
        of_length[(*depth).min(length_max)] += 1;
    }
    let room = |of_length: &[usize]| -> usize {
        let taken = of_length.iter().enumerate().skip(1);
        taken
            .map(|(at, count)| count << (length_max - at.min(length_max)))
            .sum()
    };
    while room(&of_length) > 1 << length_max {
        let shorter = (1..length_max).rev().find(|at| of_length[*at] > 0);
        let shorter = shorter.expect("symbols are fewer than codes of the greatest length");
        // One leaf becomes two one level below: itself, and one of the deepest.
        of_length[shorter] -= 1;
        of_length[shorter + 1] += 2;
        of_length[length_max] -= 1;
    }
    of_length
}

/// The canonical code of these lengths.
pub(super) fn codes<const N: usize>(lengths: &[u8; N]) -> [Code; N] {
    let mut next = [0_u16; LENGTH_MAX + 1];
    let mut code = 0;
    for (length, next) in next.iter_mut().enumerate().skip(1) {
        code <<= 1;
        *next = code;
        code += lengths
            .iter()
            .filter(|at| usize::from(**at) == length)
            .count() as u16;
    }
    lengths.map(|length| {
        let next = &mut next[usize::from(length)];
        let bits = next.reverse_bits().checked_shr(16 - u32::from(length));
        *next += u16::from(length > 0);
        Code {
            bits: bits.unwrap_or_default(),
            length,
        }
    })
}
