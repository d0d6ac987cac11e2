//! What is written is read again, byte for byte, and nothing else is taken for a capture.

use super::*;

fn captured(body: &'static [u8]) -> Captured {
    Captured {
        at: Duration::ZERO,
        is_grpc: false,
        path: "/v1/logs".to_owned(),
        content_type: "application/json".to_owned(),
        encoding: Some("zstd".to_owned()),
        body: Bytes::from_static(body),
    }
}

fn written(requests: &[Captured], bytes_max: u64) -> (CaptureSummary, Vec<u8>) {
    let folder = tempfile::tempdir().expect("a folder");
    let options = CaptureOptions {
        path: folder.path().join("capture"),
        bytes_max,
    };
    let recorder = Recorder::create(&options).expect("a file");
    for request in requests {
        recorder.record(request.clone());
    }
    let summary = recorder.finish().expect("a disk");
    (summary, std::fs::read(&options.path).expect("written"))
}

#[test]
fn requests_are_read_as_they_were_written() {
    let grpc = Captured {
        is_grpc: true,
        encoding: None,
        ..captured(b"\n{}\n\0\xff")
    };
    let requests = [captured(b"{\"a\":\n1}"), captured(b""), grpc];
    let (summary, bytes) = written(&requests, u64::MAX);
    assert_eq!((summary.requests, summary.left_out), (3, 0));
    assert_eq!(summary.bytes, bytes.len() as u64);
    let mut read = parse(&Bytes::from(bytes)).expect("a capture");
    assert!(read.is_sorted_by_key(|request| request.at));
    for request in &mut read {
        request.at = Duration::ZERO;
    }
    assert_eq!(read, requests);
}

#[test]
fn file_stays_below_its_bound_and_says_what_was_left_out() {
    let requests = [captured(b"one"), captured(b"two"), captured(b"three")];
    let (whole, _) = written(&requests, u64::MAX);
    let (summary, bytes) = written(&requests, whole.bytes - 60);
    assert_eq!((summary.requests, summary.left_out), (2, 1));
    assert_eq!(parse(&Bytes::from(bytes)).map(|read| read.len()), Ok(2));
}

#[test]
fn whatever_is_written_can_be_read_however_long_its_head() {
    let of_type = |bytes: usize| Captured {
        content_type: "x".repeat(bytes),
        ..captured(b"{}")
    };
    let around = of_type(0).head().len() + 1;
    let longest = of_type(HEAD_BYTES_MAX - around);
    let too_long = of_type(HEAD_BYTES_MAX - around + 1);
    let (summary, bytes) = written(&[longest.clone(), too_long, captured(b"[]")], u64::MAX);
    assert_eq!((summary.requests, summary.left_out), (2, 1));
    let read = parse(&Bytes::from(bytes)).expect("a capture");
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].content_type, longest.content_type);
}

#[test]
fn form_of_the_file_is_the_documented_one() {
    let (_, bytes) = written(&[captured(b"{}")], u64::MAX);
    let text = String::from_utf8(bytes).expect("a text");
    let head = r#"{"at_ns":0,"bytes":2,"content_type":"application/json","encoding":"zstd","path":"/v1/logs","transport":"http"}"#;
    assert_eq!(text, format!("{MAGIC}{head}\n{{}}\n"));
}

#[test]
fn what_is_no_capture_is_refused_with_its_place() {
    let (_, good) = written(&[captured(b"{}"), captured(b"[]")], u64::MAX);
    let cut = &good[..good.len() - 2];
    let torn = &good[..good.len() - 60];
    let mut long = good.clone();
    long.splice(
        MAGIC.len()..MAGIC.len(),
        std::iter::repeat_n(b' ', HEAD_BYTES_MAX),
    );
    for (bytes, part) in [
        (b"".as_slice(), "does not begin with"),
        (b"WARC/1.0\n", "does not begin with"),
        (cut, "request 1 at byte"),
        (torn, "request 1 at byte"),
        (&long, "request 0 at byte 19: not a head"),
    ] {
        let said = parse(&Bytes::copy_from_slice(bytes)).expect_err(part);
        assert!(said.contains(part), "{said}");
    }
    let hostile = format!(
        "{MAGIC}{}",
        r#"{"at_ns":0,"bytes":18446744073709551615,"content_type":"","encoding":null,"path":"","transport":"http"}"#
    ) + "\n";
    assert!(parse(&Bytes::from(hostile)).is_err());
}
