//! Makes trace requests field by field: in any order, repeated, split, with fields nobody knows.
//!
//! A seed comes in, bytes go out. The grammar is written for itself, not shared with the decoder.

/// Attribute keys that requests use and columns ask for: of all lengths, some alike at their ends.
pub const KEYS: [&[u8]; 10] = [
    b"",
    b"a",
    b"zone",
    b"http.route",
    b"http.request.method",
    b"grpc.request.method",
    b"http.response.status_code",
    b"key\xff",
    b"exception.type",
    b"a.key.that.is.longer.than.the.others.and.a.view",
];

/// How far a request may stray from what SDKs send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Style {
    /// Each field at most once and in order, text is UTF-8.
    Plain,
    /// All that protobuf allows.
    Odd,
}

/// A small generator of numbers (`SplitMix64`) and of the messages made of them.
pub struct Wire {
    state: u64,
    style: Style,
}

impl Wire {
    pub fn new(seed: u64, style: Style) -> Self {
        Self { state: seed, style }
    }

    pub fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.number() % end as u64) as usize
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    pub fn request(&mut self, spans_max: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for _ in 0..self.below(4) {
            let resource_spans = self.resource_spans(spans_max);
            bytes(&mut out, 1, &resource_spans);
        }
        self.finish(vec![out])
    }

    fn resource_spans(&mut self, spans_max: usize) -> Vec<u8> {
        let mut fields = Vec::new();
        for _ in 0..self.times() {
            let resource = self.resource();
            fields.push(field(1, &resource));
        }
        for _ in 0..self.below(3) {
            let scope_spans = self.scope_spans(spans_max);
            fields.push(field(2, &scope_spans));
        }
        if self.style == Style::Odd && self.chance(3) {
            for _ in 0..self.below(3) {
                let scope_spans = self.scope_spans(spans_max);
                fields.push(field(1000, &scope_spans));
            }
        }
        self.text_field(&mut fields, 3);
        self.finish(fields)
    }

    fn resource(&mut self) -> Vec<u8> {
        let mut fields = Vec::new();
        self.attributes(&mut fields, 1);
        self.varint_field(&mut fields, 2);
        if self.chance(4) {
            let mut entity = Vec::new();
            for number in 1..=4 {
                self.text_field(&mut entity, number);
            }
            let entity = self.finish(entity);
            fields.push(field(3, &entity));
        }
        self.finish(fields)
    }

    fn scope_spans(&mut self, spans_max: usize) -> Vec<u8> {
        let mut fields = Vec::new();
        for _ in 0..self.times() {
            let mut scope = Vec::new();
            self.text_field(&mut scope, 1);
            self.text_field(&mut scope, 2);
            self.attributes(&mut scope, 3);
            self.varint_field(&mut scope, 4);
            let scope = self.finish(scope);
            fields.push(field(1, &scope));
        }
        for _ in 0..self.below(spans_max + 1) {
            let span = self.span();
            fields.push(field(2, &span));
        }
        self.text_field(&mut fields, 3);
        self.finish(fields)
    }

    fn span(&mut self) -> Vec<u8> {
        let mut fields = Vec::new();
        self.id_field(&mut fields, 1, 16);
        self.id_field(&mut fields, 2, 8);
        self.text_field(&mut fields, 3);
        self.id_field(&mut fields, 4, 8);
        self.text_field(&mut fields, 5);
        self.varint_field(&mut fields, 6);
        self.fixed64_field(&mut fields, 7);
        self.fixed64_field(&mut fields, 8);
        self.attributes(&mut fields, 9);
        self.varint_field(&mut fields, 10);
        for _ in 0..self.below(3) {
            let mut event = Vec::new();
            self.fixed64_field(&mut event, 1);
            self.text_field(&mut event, 2);
            self.attributes(&mut event, 3);
            self.varint_field(&mut event, 4);
            let event = self.finish(event);
            fields.push(field(11, &event));
        }
        self.varint_field(&mut fields, 12);
        if self.chance(4) {
            let mut link = Vec::new();
            self.id_field(&mut link, 1, 16);
            self.id_field(&mut link, 2, 8);
            self.text_field(&mut link, 3);
            self.attributes(&mut link, 4);
            self.varint_field(&mut link, 5);
            self.fixed32_field(&mut link, 6);
            let link = self.finish(link);
            fields.push(field(13, &link));
        }
        self.varint_field(&mut fields, 14);
        for _ in 0..self.times() {
            let mut status = Vec::new();
            self.text_field(&mut status, 2);
            self.varint_field(&mut status, 3);
            let status = self.finish(status);
            fields.push(field(15, &status));
        }
        self.fixed32_field(&mut fields, 16);
        self.finish(fields)
    }

    fn attributes(&mut self, fields: &mut Vec<Vec<u8>>, number: u32) {
        for _ in 0..self.below(6) {
            let attribute = self.key_value(3);
            fields.push(field(number, &attribute));
        }
    }

    fn key_value(&mut self, depth: usize) -> Vec<u8> {
        let mut fields = Vec::new();
        for _ in 0..self.times() {
            let key = loop {
                let key = KEYS[self.below(KEYS.len())];
                if self.style == Style::Odd || key.is_ascii() {
                    break key;
                }
            };
            fields.push(field(1, key));
        }
        for _ in 0..self.times() {
            let value = self.any_value(depth);
            fields.push(field(2, &value));
        }
        self.finish(fields)
    }

    fn any_value(&mut self, depth: usize) -> Vec<u8> {
        let mut fields = Vec::new();
        for _ in 0..self.times() {
            let kind = self.below(if depth == 0 { 5 } else { 7 });
            match kind {
                0 => self.text_field(&mut fields, 1),
                1 => self.varint_field(&mut fields, 2),
                2 => self.varint_field(&mut fields, 3),
                3 => self.fixed64_field(&mut fields, 4),
                4 => self.text_field(&mut fields, 7),
                _ => {
                    let mut list = Vec::new();
                    for _ in 0..self.below(3) {
                        let element = if kind == 5 {
                            self.any_value(depth - 1)
                        } else {
                            self.key_value(depth - 1)
                        };
                        list.push(field(1, &element));
                    }
                    let list = self.finish(list);
                    fields.push(field(kind as u32, &list));
                }
            }
        }
        self.finish(fields)
    }

    /// How often a field that may be there once is there.
    fn times(&mut self) -> usize {
        match (self.style, self.below(12)) {
            (_, 0) => 0,
            (Style::Odd, 1) => 2,
            (Style::Odd, 2) => 3,
            _ => 1,
        }
    }

    fn text_field(&mut self, fields: &mut Vec<Vec<u8>>, number: u32) {
        for _ in 0..self.times() {
            let long = match self.below(20) {
                0 => 200,
                1 => 100,
                _ => 16,
            };
            let text: Vec<u8> = (0..self.below(long))
                .map(|_| {
                    let byte = self.number() as u8;
                    if self.style == Style::Odd {
                        byte
                    } else {
                        byte & 0x7f
                    }
                })
                .collect();
            fields.push(field(number, &text));
        }
    }

    fn id_field(&mut self, fields: &mut Vec<Vec<u8>>, number: u32, id_bytes: usize) {
        for _ in 0..self.times() {
            let id_bytes = match (self.style, self.below(60)) {
                (Style::Odd, 0) => 0,
                (Style::Odd, 1) => 7,
                _ => id_bytes,
            };
            fields.push(field(number, &vec![0xab; id_bytes]));
        }
    }

    fn varint_field(&mut self, fields: &mut Vec<Vec<u8>>, number: u32) {
        for _ in 0..self.times() {
            let value = match self.below(4) {
                0 => self.number(),
                1 => self.number() % 1_000,
                _ => self.number() % 6,
            };
            let mut out = Vec::new();
            tag(&mut out, number, 0);
            varint(&mut out, value);
            fields.push(out);
        }
    }

    fn fixed64_field(&mut self, fields: &mut Vec<Vec<u8>>, number: u32) {
        for _ in 0..self.times() {
            let mut out = Vec::new();
            tag(&mut out, number, 1);
            out.extend_from_slice(&self.number().to_le_bytes());
            fields.push(out);
        }
    }

    fn fixed32_field(&mut self, fields: &mut Vec<Vec<u8>>, number: u32) {
        for _ in 0..self.times() {
            let mut out = Vec::new();
            tag(&mut out, number, 5);
            out.extend_from_slice(&(self.number() as u32).to_le_bytes());
            fields.push(out);
        }
    }

    /// A message of these fields; odd ones are shuffled and get fields that nobody knows.
    fn finish(&mut self, mut fields: Vec<Vec<u8>>) -> Vec<u8> {
        if self.style == Style::Odd {
            if self.chance(8) {
                let unknown = self.unknown_field(3);
                fields.push(unknown);
            }
            if self.chance(3) {
                for index in (1..fields.len()).rev() {
                    fields.swap(index, self.below(index + 1));
                }
            }
        }
        fields.concat()
    }

    fn unknown_field(&mut self, depth: usize) -> Vec<u8> {
        let number = [20, 99, 1001, (1 << 29) - 1][self.below(4)];
        let mut out = Vec::new();
        match self.below(if depth == 0 { 4 } else { 5 }) {
            0 => {
                tag(&mut out, number, 0);
                varint(&mut out, self.number());
            }
            1 => {
                tag(&mut out, number, 1);
                out.extend_from_slice(&[0xff; 8]);
            }
            2 => {
                tag(&mut out, number, 5);
                out.extend_from_slice(&[0xff; 4]);
            }
            3 => bytes(&mut out, number, b"\xff\xff\xff"),
            _ => {
                tag(&mut out, number, 3);
                out.extend(self.unknown_field(depth - 1));
                tag(&mut out, number, 4);
            }
        }
        out
    }

    /// Spoils a request in one place, in one of the ways bytes get spoilt.
    pub fn spoil(&mut self, request: &mut Vec<u8>) {
        if request.is_empty() {
            return;
        }
        let at = self.below(request.len());
        match self.below(5) {
            0 | 1 => request[at] ^= 1 << self.below(8),
            2 => request[at] = self.number() as u8,
            3 => drop(request.remove(at)),
            _ => request.insert(at, self.number() as u8),
        }
    }
}

pub fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub fn tag(out: &mut Vec<u8>, number: u32, wire_type: u32) {
    varint(out, u64::from(number << 3 | wire_type));
}

pub fn bytes(out: &mut Vec<u8>, number: u32, content: &[u8]) {
    tag(out, number, 2);
    varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

pub fn field(number: u32, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    bytes(&mut out, number, content);
    out
}
