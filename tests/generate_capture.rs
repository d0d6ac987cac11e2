//! What is sent is what is captured, and what is replayed; on real sockets, read by an oracle.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use spanmill::generate::capture::listen::Listening;
use spanmill::generate::capture::{self, Captured};
use spanmill::generate::{
    CaptureOptions, Compression, Defect, Finished, LoadOptions, Pace, Protocol, Replay, RunOptions,
    Target, Timing, start,
};
use tempfile::TempDir;

const PROTOCOLS: [Protocol; 3] = [Protocol::Grpc, Protocol::Http, Protocol::HttpJson];
const COMPRESSIONS: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];
const GRPC_PREFIX_BYTES: usize = 5;

struct Rig {
    folder: TempDir,
    listening: Listening,
}

impl Rig {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = file(folder.path(), "came");
        let listening = Listening::start(&["127.0.0.1:0".to_owned()], &options).await;
        let listening = listening.expect("loopback");
        Self { folder, listening }
    }

    fn target(&self) -> Target {
        let address = self.listening.addresses[0].to_string();
        Target::parse(&address, 0).expect("an address")
    }

    fn options(&self, protocol: Protocol, compression: Compression) -> RunOptions {
        RunOptions {
            protocol,
            compression,
            pace: Pace::closed(None, Some(130)),
            items_per_request: 20,
            load: LoadOptions {
                users: 3,
                event_share: 0.5,
                ..LoadOptions::default()
            }
            .into(),
            ..RunOptions::new(self.target())
        }
    }

    /// What came, in its order.
    fn came(&self) -> Vec<Captured> {
        self.listening.finish().expect("written");
        capture::read(&self.path("came")).expect("a capture")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn file(folder: &Path, name: &str) -> CaptureOptions {
    CaptureOptions {
        path: folder.join(name),
        bytes_max: 1 << 24,
    }
}

async fn run(options: RunOptions) -> Finished {
    let mut running = start(options).expect("threads");
    running.ended().await;
    running.finish()
}

/// All of a request but when it was sent.
fn wire(requests: &[Captured]) -> Vec<Captured> {
    let without_time = |request: &Captured| Captured {
        at: Duration::ZERO,
        ..request.clone()
    };
    requests.iter().map(without_time).collect()
}

/// Undoes prefix and compression.
fn message(request: &Captured) -> Vec<u8> {
    let mut body = &request.body[..];
    if request.is_grpc {
        let length = u32::from_be_bytes(body[1..GRPC_PREFIX_BYTES].try_into().expect("a prefix"));
        assert_eq!(body[0] == 1, request.encoding.is_some());
        body = &body[GRPC_PREFIX_BYTES..];
        assert_eq!(length as usize, body.len());
    }
    let mut message = Vec::new();
    match request.encoding.as_deref() {
        None => message.extend_from_slice(body),
        Some("gzip") => {
            let mut gzip = flate2::read::GzDecoder::new(body);
            gzip.read_to_end(&mut message).expect("gzip");
        }
        Some("zstd") => message = zstd::decode_all(body).expect("zstd"),
        Some(other) => panic!("no such encoding: {other}"),
    }
    message
}

fn decoded(request: &Captured) -> ExportTraceServiceRequest {
    let message = message(request);
    let mut export = match request.content_type.as_str() {
        "application/json" => serde_json::from_slice(&message).expect("OTLP/JSON"),
        _ => ExportTraceServiceRequest::decode(Bytes::from(message)).expect("well-formed"),
    };
    let of_resource = export.resource_spans.iter_mut();
    let scopes = of_resource.flat_map(|of_resource| &mut of_resource.scope_spans);
    for span in scopes.flat_map(|scope| &mut scope.spans) {
        // The times are those of the run; how long a span took is not.
        let start = span.start_time_unix_nano;
        for time in span
            .events
            .iter_mut()
            .map(|event| &mut event.time_unix_nano)
        {
            *time -= start;
        }
        span.end_time_unix_nano -= start;
        span.start_time_unix_nano = 0;
    }
    export
}

#[tokio::test]
async fn every_protocol_and_compression_carries_the_same_spans() {
    let mut first: Option<Vec<ExportTraceServiceRequest>> = None;
    for protocol in PROTOCOLS {
        for compression in COMPRESSIONS {
            let rig = Rig::start().await;
            let finished = run(rig.options(protocol, compression)).await;
            assert_eq!(finished.tally.acknowledged().items, 130);
            let came = rig.came();
            assert!(
                came.iter()
                    .all(|request| request.is_grpc == protocol.is_grpc())
            );
            let bytes: usize = came.iter().map(|request| request.body.len()).sum();
            assert_eq!(finished.tally.body_bytes(), bytes as u64);
            let exports: Vec<_> = came.iter().map(decoded).collect();
            assert_eq!(exports.len(), 7);
            let first = first.get_or_insert_with(|| exports.clone());
            assert_eq!(&exports, first, "{protocol:?} {compression:?}");
        }
    }
}

#[tokio::test]
async fn what_is_sent_is_captured_and_replayed_byte_for_byte() {
    for (protocol, compression) in [
        (Protocol::Grpc, Compression::Zstd),
        (Protocol::Http, Compression::None),
        (Protocol::HttpJson, Compression::Gzip),
    ] {
        let rig = Rig::start().await;
        let mut options = rig.options(protocol, compression);
        options.capture = Some(file(rig.folder.path(), "sent"));
        // What is broken is captured as it is, too.
        options.malformed_share = 0.3;
        let finished = run(options).await;
        let summary = finished.capture.expect("asked for").expect("written");
        let sent = capture::read(&rig.path("sent")).expect("a capture");
        assert_eq!(summary.requests, sent.len() as u64);
        assert_eq!(wire(&sent), wire(&rig.came()));

        let again = Rig::start().await;
        let target = again.target();
        let path = rig.path("sent");
        let replay = Replay::new(&path, sent.clone(), &target, protocol.is_grpc());
        let replay = Arc::new(replay.expect("a capture"));
        let finished = run(RunOptions {
            protocol,
            pace: Pace {
                timing: Timing::AsCaptured(Arc::clone(&replay)),
                ..Pace::closed(None, Some(replay.len() as u64))
            },
            items_per_request: 1,
            replay: Some(replay),
            ..RunOptions::new(target)
        })
        .await;
        assert_eq!(finished.tally.acknowledged().requests, sent.len() as u64);
        assert_eq!(wire(&again.came()), wire(&sent));
    }
}

#[tokio::test]
async fn capture_goes_over_the_other_transport_with_the_same_messages() {
    for (from, to) in [
        (Protocol::Grpc, Protocol::Http),
        (Protocol::Http, Protocol::Grpc),
    ] {
        for compression in COMPRESSIONS {
            let rig = Rig::start().await;
            run(rig.options(from, compression)).await;
            let came = rig.came();
            let again = Rig::start().await;
            let target = again.target();
            let path = rig.path("came");
            let replay = Replay::new(&path, came.clone(), &target, to.is_grpc()).expect("fits");
            let finished = run(RunOptions {
                protocol: to,
                // Twice through the file.
                pace: Pace::closed(None, Some(2 * came.len() as u64)),
                items_per_request: 1,
                replay: Some(Arc::new(replay)),
                ..RunOptions::new(target)
            })
            .await;
            assert_eq!(finished.tally.acknowledged().requests, 14);
            let replayed = again.came();
            assert!(
                replayed
                    .iter()
                    .all(|request| request.is_grpc == to.is_grpc())
            );
            let twice = came.iter().chain(&came).map(message);
            assert!(
                replayed.iter().map(message).eq(twice),
                "{from:?} {compression:?}"
            );
        }
    }
}

#[tokio::test]
async fn json_is_not_replayed_over_grpc() {
    let rig = Rig::start().await;
    run(rig.options(Protocol::HttpJson, Compression::None)).await;
    let said = Replay::new(Path::new("file"), rig.came(), &rig.target(), true);
    let said = said.expect_err("JSON").to_string();
    assert_eq!(
        said,
        "capture file: request 0 is not protobuf, so it cannot go over gRPC"
    );
}

#[tokio::test]
async fn full_file_refuses_what_comes_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = CaptureOptions {
        bytes_max: 40_000,
        ..file(folder.path(), "came")
    };
    let listening = Listening::start(&["127.0.0.1:0".to_owned()], &options).await;
    let rig = Rig {
        listening: listening.expect("loopback"),
        folder,
    };
    let finished = run(rig.options(Protocol::Http, Compression::None)).await;
    rig.listening.full().await;
    let recorded = finished.tally.acknowledged().requests;
    let summary = rig.listening.summary();
    assert_eq!(
        (summary.requests, summary.left_out),
        (recorded, 7 - recorded)
    );
    assert!(summary.bytes <= 40_000 && recorded > 0);
    assert_eq!(rig.came().len() as u64, recorded);
}

/// The listener answers success to everything, which is just what a target must not do.
#[tokio::test]
async fn target_that_takes_broken_requests_is_found_out() {
    let rig = Rig::start().await;
    let mut options = rig.options(Protocol::HttpJson, Compression::None);
    options.malformed_share = 0.5;
    options.items_per_request = 1;
    let finished = run(options).await;
    let malformed = &finished.tally.malformed;
    assert!(
        (80..200).contains(&malformed.sent()),
        "{}",
        malformed.sent()
    );
    assert_eq!(malformed.wrongly_accepted(), malformed.sent());
    let defects: Vec<_> = malformed.accepted.keys().copied().collect();
    let of_json = [
        Defect::Truncated,
        Defect::WrongType,
        Defect::NoGzip,
        Defect::ContentType,
    ];
    assert_eq!(defects, of_json);
    // They are in no count of what is well-formed, and use up none of what was asked for.
    assert_eq!(finished.tally.acknowledged().requests, 130);
}
