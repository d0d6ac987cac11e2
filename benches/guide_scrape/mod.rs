//! An exporter with label sets as the guide's configuration makes them, and a scrape of it.
//!
//! Shared by the benches. About 530 bytes a line, 13 lines a label set.

#[path = "../../tests/exporter_support/mod.rs"]
pub mod exporter_support;

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};

use exporter_support::{
    Harness, Pairs, Table, count, histogram_ms, options, pairs, snapshot, stream,
};
use http::Request;
use http_body_util::BodyExt;
use spanmill::exporters::prometheus::Source;
use spanmill::store::snapshot::Snapshot;
use spanmill::store::window::Layout;

pub const BOUNDS_MS: [f64; 9] = [1.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 5000.0, 10000.0];
/// Of a label set.
pub const LINES: usize = 13;
const T: u64 = 1_700_000_000_000;

fn resource() -> Pairs {
    pairs(&[
        ("service.name", "checkout"),
        ("service.namespace", "shop"),
        ("host.name", "ip-10-20-30-40.eu-central-1.compute.internal"),
        ("k8s.pod.name", "checkout-6c9b8d5f7-x2x5p"),
        ("k8s.namespace.name", "shop-production"),
        ("telemetry.sdk.language", "java"),
        ("deployment.environment", "production"),
    ])
}

fn key(index: usize) -> Pairs {
    pairs(&[
        ("service.name", "checkout"),
        ("span.name", &format!("GET /cart/{{id}}/items/{index}")),
        ("span.kind", "SPAN_KIND_SERVER"),
        ("status.code", "STATUS_CODE_UNSET"),
        ("http.method", "GET"),
        ("http.response.status_code", "200"),
        ("http.route", "/cart/{id}/items/{item}"),
    ])
}

pub fn words(index: usize) -> Vec<u64> {
    let index = index as u64;
    let mut words = vec![index * 1_234_567 + 890_123, 0];
    words.extend((0..10).map(|bucket| (index * 31 + bucket * 7) % 5000));
    words
}

/// An exporter that shows so many label sets, and what it shows.
pub fn guide(label_sets: usize, timestamps: bool) -> (Harness, Snapshot) {
    let mut options = options();
    "acs".clone_into(&mut options.namespace);
    options.const_labels = vec![("label1".to_owned(), "value1".to_owned())];
    options.send_timestamps = timestamps;
    options.add_metric_suffixes = false;
    options.resource_to_telemetry_conversion = true;
    options.start_at_zero = false;
    let stream = stream(vec![
        count("traces.span.metrics.calls"),
        histogram_ms("traces.span.metrics.duration", &BOUNDS_MS),
    ]);
    let harness = Harness::new(options, false, vec![Source { table: 0, stream }]);
    let mut tables = [Table::new(Layout::Histogram { buckets: 10 })];
    let resource = resource();
    for index in 0..label_sets {
        tables[0].born(&resource, &key(index), words(index), T);
    }
    let snapshot = snapshot(T, 5, &mut tables);
    harness.show(snapshot.clone());
    (harness, snapshot)
}

/// A scrape; answers the bytes of its body.
pub async fn body(harness: &Harness, accept: &str, gzip: bool) -> usize {
    let mut request = Request::get("/metrics").header("accept", accept);
    if gzip {
        request = request.header("accept-encoding", "gzip");
    }
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let answer = (harness.exporter.handler())(request.body(()).unwrap(), peer).await;
    let mut body = answer.response.into_body();
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        bytes += black_box(frame.unwrap().into_data().unwrap()).len();
    }
    bytes
}
