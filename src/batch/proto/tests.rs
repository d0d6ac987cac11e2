use super::{Field, Malformed, NESTING_MAX, Reader, Tag, fields, put_bytes, put_tag, put_varint};

fn varint(value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, value);
    out
}

#[test]
fn varints_of_every_length_read_back_and_refuse_each_truncation() {
    for bits in 0..=64u32 {
        let value = 1u64
            .checked_shl(bits)
            .map_or(u64::MAX, |power| power.wrapping_sub(1));
        let bytes = varint(value);
        assert_eq!(bytes.len(), super::varint_bytes(value));
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.varint(), Ok(value));
        assert!(reader.is_done());
        for end in 0..bytes.len() {
            let refused = Reader::new(&bytes[..end]).varint();
            assert_eq!(refused, Err(Malformed::Truncated { at: 0 }));
        }
    }
}

#[test]
fn varint_beyond_64_bits_is_refused() {
    let mut long = vec![0xff; 9];
    long.push(2);
    assert_eq!(
        Reader::new(&long).varint(),
        Err(Malformed::Varint { at: 0 })
    );
    assert_eq!(
        Reader::new(&[0x80; 11]).varint(),
        Err(Malformed::Varint { at: 0 })
    );
}

#[test]
fn padded_varint_is_accepted() {
    let mut reader = Reader::new(&[0x81, 0x80, 0x80, 0x00]);
    assert_eq!(reader.varint(), Ok(1));
    assert!(reader.is_done());
}

#[test]
fn field_numbers_have_29_bits_and_are_not_0() {
    for tag in [0, 5, 7, 1 << 32, u64::MAX] {
        assert_eq!(
            Reader::new(&varint(tag)).tag(),
            Err(Malformed::FieldNumber { tag, at: 0 })
        );
    }
    let greatest = Tag::new((1 << 29) - 1, super::BYTES);
    assert_eq!(Reader::new(&varint(greatest.0.into())).tag(), Ok(greatest));
}

#[test]
fn length_past_the_end_is_refused() {
    for bytes in [4, 1 << 20, u64::from(u32::MAX), u64::MAX] {
        let mut body = varint(bytes);
        body.extend_from_slice(b"abc");
        assert_eq!(
            Reader::new(&body).message().map(|_| ()),
            Err(Malformed::Truncated { at: 0 })
        );
    }
}

#[test]
fn nested_message_keeps_positions_of_the_body() {
    let mut inner = Vec::new();
    put_bytes(&mut inner, 1, b"abcd");
    let mut body = Vec::new();
    put_bytes(&mut body, 9, &inner);
    let mut reader = Reader::new(&body);
    assert_eq!(reader.tag(), Ok(Tag::new(9, super::BYTES)));
    let mut nested = reader.message().expect("well-formed");
    assert_eq!(nested.tag(), Ok(Tag::new(1, super::BYTES)));
    let text = nested.message().expect("well-formed");
    assert_eq!((text.at(), text.rest()), (4, &b"abcd"[..]));
    assert!(nested.is_done() && reader.is_done());
}

fn skip(body: &[u8], levels_left: u32) -> Result<usize, Malformed> {
    let mut reader = Reader::new(body);
    let tag = reader.tag()?;
    reader.skip(tag, levels_left)?;
    Ok(reader.at())
}

#[test]
fn fields_of_every_wire_type_are_skipped() {
    for field in [
        &[0x08, 0x81, 0x01][..],
        &[0x09, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0x0a, 2, 1, 2],
        &[0x0b, 0x10, 1, 0x13, 0x14, 0x0c],
        &[0x0d, 1, 2, 3, 4],
    ] {
        assert_eq!(skip(field, 3), Ok(field.len()));
        for end in 1..field.len() {
            assert!(skip(&field[..end], 3).is_err());
        }
    }
    for stray in [0x0c, 0x0e, 0x0f] {
        assert!(skip(&[stray, 0, 0], 3).is_err());
    }
}

#[test]
fn group_ends_with_its_own_number() {
    assert_eq!(
        skip(&[0x0b, 0x14], 3),
        Err(Malformed::Group { field: 1, at: 2 })
    );
}

#[test]
fn groups_nest_up_to_the_limit() {
    let nested = |levels: usize| {
        let mut body = Vec::new();
        for _ in 0..levels {
            put_tag(&mut body, Tag::new(7, super::GROUP_START));
        }
        for _ in 0..levels {
            put_tag(&mut body, Tag::new(7, super::GROUP_END));
        }
        body
    };
    let limit = NESTING_MAX as usize;
    assert_eq!(skip(&nested(limit), NESTING_MAX), Ok(2 * limit));
    assert!(matches!(
        skip(&nested(limit + 1), NESTING_MAX),
        Err(Malformed::Nesting { .. })
    ));
}

#[test]
fn fields_are_listed_up_to_the_first_malformed_one() {
    let mut body = Vec::new();
    put_bytes(&mut body, 1, b"a");
    body.extend_from_slice(&[
        0x10, 5, 0x1d, 0, 0, 0, 0, 0x21, 1, 0, 0, 0, 0, 0, 0, 0, 0x0a, 9,
    ]);
    let listed: Vec<_> = fields(&body).collect();
    assert_eq!(
        listed,
        [
            (1, Field::Bytes(b"a")),
            (2, Field::Varint(5)),
            (4, Field::Fixed64(1)),
        ]
    );
}
