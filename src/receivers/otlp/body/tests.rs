//! Chunks laid out by hand.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};

use super::super::admission::Room;
use super::super::buffers::Buffers;
use super::super::error::ReceiveError;
use super::{Chunks, Pace, read_body, read_message};
use crate::workers::budget::Budget;

/// These chunks, then the end, an error, or silence.
struct Script {
    chunks: VecDeque<Vec<u8>>,
    then: Then,
}

#[derive(Clone, Copy)]
enum Then {
    End,
    Cut,
    Silence,
}

impl Body for Script {
    type Data = Bytes;
    type Error = ();

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context,
    ) -> Poll<Option<Result<Frame<Bytes>, ()>>> {
        match (self.chunks.pop_front(), self.then) {
            (Some(chunk), _) => Poll::Ready(Some(Ok(Frame::data(Bytes::from(chunk))))),
            (None, Then::End) => Poll::Ready(None),
            (None, Then::Cut) => Poll::Ready(Some(Err(()))),
            (None, Then::Silence) => Poll::Pending,
        }
    }
}

const PACE: Pace = Pace {
    stall_max: Duration::from_millis(5),
    time_max: Duration::from_mins(1),
};

fn script(chunks: &[&[u8]], then: Then) -> Chunks<Script> {
    let chunks = chunks.iter().map(|chunk| chunk.to_vec()).collect();
    Chunks::new(Script { chunks, then }, PACE)
}

fn on_runtime<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_time()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// The body and its permit, or why not; checks that the budget is whole afterwards.
fn body(
    chunks: &[&[u8]],
    then: Then,
    declared: Option<u64>,
    bytes_max: u64,
) -> Result<(Vec<u8>, u64), ReceiveError> {
    let budget = Budget::new(1 << 20);
    let room = Room {
        budget: &budget,
        bytes_max,
    };
    let read = on_runtime(async {
        let mut chunks = script(chunks, then);
        read_body(&mut chunks, declared, room, &Buffers::default()).await
    });
    let read = read.map(|held| (held.bytes.to_vec(), held.permit.bytes()));
    assert_eq!(budget.bytes_taken(), 0);
    read
}

fn message(chunks: &[&[u8]], then: Then) -> Result<(bool, Vec<u8>, u64), ReceiveError> {
    let budget = Budget::new(1 << 20);
    let room = Room {
        budget: &budget,
        bytes_max: 100,
    };
    let read = on_runtime(async {
        let mut chunks = script(chunks, then);
        read_message(&mut chunks, room, &Buffers::default()).await
    });
    let read = read.map(|message| {
        let held = message.held;
        (message.compressed, held.bytes.to_vec(), held.permit.bytes())
    });
    assert_eq!(budget.bytes_taken(), 0);
    read
}

#[test]
fn chunks_are_joined_whether_the_length_was_declared_or_not() {
    for declared in [None, Some(6)] {
        let joined = body(&[b"ab", b"", b"cde", b"f"], Then::End, declared, 100);
        assert_eq!(joined, Ok((b"abcdef".to_vec(), 6)));
        assert_eq!(body(&[b"abcdef"], Then::End, declared, 100), joined);
    }
    assert_eq!(body(&[], Then::End, None, 100), Ok((Vec::new(), 0)));
}

#[test]
fn long_bodies_of_unknown_length_are_joined() {
    let chunk = [7_u8; 1000];
    let chunks = vec![chunk.as_slice(); 300];
    let (joined, permit) = body(&chunks, Then::End, None, 1 << 20).expect("room");
    assert_eq!((joined.len(), permit), (300_000, 300_000));
}

#[test]
fn body_beyond_its_limit_is_refused_at_the_declared_length_or_at_the_chunk() {
    let too_large = |bytes| {
        Err(ReceiveError::TooLarge {
            bytes,
            bytes_max: 5,
        })
    };
    assert_eq!(body(&[], Then::Silence, Some(6), 5), too_large(6));
    assert_eq!(
        body(&[b"abc", b"def"], Then::Silence, None, 5),
        too_large(6)
    );
}

#[test]
fn stalled_and_cut_bodies_give_back_their_permit() {
    let stalled = Err(ReceiveError::Stalled(PACE.stall_max));
    assert_eq!(body(&[b"ab"], Then::Silence, Some(6), 100), stalled);
    assert_eq!(
        body(&[b"ab"], Then::Cut, Some(6), 100),
        Err(ReceiveError::Cut)
    );
    let slow = Pace {
        stall_max: Duration::from_mins(1),
        time_max: Duration::from_millis(5),
    };
    let mut chunks = Chunks::new(
        Script {
            chunks: VecDeque::new(),
            then: Then::Silence,
        },
        slow,
    );
    let error = on_runtime(async {
        chunks.until = Some(tokio::time::Instant::now() + slow.time_max);
        chunks.next().await
    });
    assert_eq!(error, Err(ReceiveError::Slow(slow.time_max)));
}

#[test]
fn message_is_read_however_it_is_cut_into_chunks() {
    let framed = b"\x01\0\0\0\x04abcd";
    let expected = Ok((true, b"abcd".to_vec(), 4));
    for cut in 0..=framed.len() {
        let (first, second) = framed.split_at(cut);
        assert_eq!(message(&[first, second], Then::Silence), expected, "{cut}");
    }
    let bytes: Vec<_> = framed.chunks(1).collect();
    assert_eq!(message(&bytes, Then::Silence), expected);
    assert_eq!(
        message(&[b"\0\0\0\0\0"], Then::Silence),
        Ok((false, Vec::new(), 0))
    );
}

#[test]
fn broken_framing_is_told_apart() {
    let no_message = |begun| Err(ReceiveError::NoMessage { begun });
    assert_eq!(message(&[], Then::End), no_message(false));
    assert_eq!(message(&[b"\0\0"], Then::End), no_message(false));
    assert_eq!(message(&[b"\0\0\0\0\x02a"], Then::End), no_message(true));
    assert_eq!(
        message(&[b"\x02\0\0\0\x01a"], Then::End),
        Err(ReceiveError::MessageFlag(2))
    );
    assert_eq!(
        message(&[b"\0\0\0\0\x01ab"], Then::End),
        Err(ReceiveError::SeveralMessages)
    );
    let (bytes, bytes_max) = (101, 100);
    assert_eq!(
        message(&[b"\0\0\0\0\x65"], Then::Silence),
        Err(ReceiveError::TooLarge { bytes, bytes_max })
    );
}
