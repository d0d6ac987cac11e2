//! One scrape: a request in, the exposition out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, USER_AGENT};
use http::{Method, Request, Response, StatusCode};

use super::Inner;
use super::body::body;
use super::negotiate;
use super::render::{Look, Rendering};
use super::start_at_zero::{ScraperKey, Turn, Zeros};
use super::view::Picture;
use crate::store::snapshot::Snapshot;
use crate::workers::clock;
use crate::workers::web::{Answer, Body, Delivery, Receipt, not_found, page};

/// The only path.
const METRICS: &str = "/metrics";

/// Prometheus's own header: it differs between jobs that are otherwise alike.
const SCRAPE_TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";

/// How long a scraper waits that does not say so: Prometheus's default.
const SCRAPE_TIME: Duration = Duration::from_secs(10);

/// Longer than this no response takes, see `WebLimits`.
const SCRAPE_TIME_MAX: Duration = Duration::from_mins(2);

/// For a scraper's reset to arrive.
const RESET_DELAY_MAX: Duration = Duration::from_secs(1);

/// Start of the user agent of who is known to take two samples of a series in one scrape.
const TAKES_ZEROS: &[u8] = b"Prometheus/";

/// Every method is answered like GET, as the reference does.
pub(super) async fn answer(inner: Arc<Inner>, request: Request<()>, peer: SocketAddr) -> Answer {
    let path = request.uri().path();
    let mut answer = if path == METRICS {
        metrics(&inner, &request, peer).await
    } else {
        let clean = clean(path);
        Answer::new(if clean == path {
            not_found()
        } else {
            redirect(&clean, &request)
        })
    };
    let headers = answer.response.headers_mut();
    for (name, value) in &inner.headers {
        // Our own content type stands.
        headers.entry(name).or_insert_with(|| value.clone());
    }
    answer
}

async fn metrics(inner: &Arc<Inner>, request: &Request<()>, peer: SocketAddr) -> Answer {
    let headers = request.headers();
    let reset_until = reset_until(clock::monotonic(), headers.get(SCRAPE_TIMEOUT));
    let format = negotiate::format(headers, inner.options.enable_open_metrics);
    let gzip = negotiate::gzip(headers);
    let (picture, snapshot) = take_picture(inner).await;
    // Only GET is a scrape; the answer to HEAD has no body to show anything with.
    let turn = (request.method() == Method::GET)
        .then(|| begin_turn(inner, request, peer, &picture, &snapshot))
        .flatten();
    let look = Look {
        dialect: format.dialect,
        timestamps: inner.options.send_timestamps,
        late_counters: inner.compat,
        zeros: turn.and_then(|turn| inner.zeros_for(request, &turn)),
    };
    let receipt =
        (request.method() == Method::GET).then(|| Outcome::receipt(inner, turn, reset_until));
    let mut response = Response::new(body(Rendering::new(picture, snapshot, look), gzip));
    let out = response.headers_mut();
    let content_type = HeaderValue::try_from(format.content_type)
        .expect("made of words that are legal in a header");
    out.insert(CONTENT_TYPE, content_type);
    if gzip {
        out.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Answer { response, receipt }
}

/// Folds, and brings the view up to it. One scrape after the other, so that snapshots reach the view
/// in order; nothing here waits for a client.
async fn take_picture(inner: &Inner) -> (Picture, Snapshot) {
    let mut view = inner.view.lock().await;
    let snapshot = (inner.snapshots)().await;
    view.begin(&snapshot);
    while view.advance(&snapshot) {
        // A worker may have this core too.
        std::thread::yield_now();
        tokio::task::yield_now().await;
    }
    (view.finish(&snapshot), snapshot)
}

fn begin_turn(
    inner: &Inner,
    request: &Request<()>,
    peer: SocketAddr,
    picture: &Picture,
    snapshot: &Snapshot,
) -> Option<Turn> {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .map_or(&b""[..], HeaderValue::as_bytes)
    };
    let key = ScraperKey {
        address: peer.ip(),
        user_agent: header(USER_AGENT.as_str()),
        path_and_query: request
            .uri()
            .path_and_query()
            .map_or("", |path| path.as_str()),
        timeout: header(SCRAPE_TIMEOUT),
    };
    let turn = inner
        .scrapers
        .begin(&key, snapshot.time_ms, picture.sequence);
    if turn.is_none() {
        inner.counters.stranger();
    }
    turn
}

impl Inner {
    fn zeros_for(&self, request: &Request<()>, turn: &Turn) -> Option<Zeros> {
        let takes_zeros = request
            .headers()
            .get(USER_AGENT)
            .is_some_and(|agent| agent.as_bytes().starts_with(TAKES_ZEROS));
        (self.options.start_at_zero && !self.compat && takes_zeros).then_some(turn.zeros)
    }
}

/// Learns how far the answer came. What ends without a word was cut.
struct Outcome {
    inner: Arc<Inner>,
    turn: Option<Turn>,
    written: bool,
    /// Until when a reset tells of an answer that was not read.
    reset_until: Instant,
}

impl Outcome {
    fn receipt(inner: &Arc<Inner>, turn: Option<Turn>, reset_until: Instant) -> Receipt {
        let mut outcome = Self {
            inner: Arc::clone(inner),
            turn,
            written: false,
            reset_until,
        };
        Box::new(move |delivery| outcome.learn(delivery))
    }

    fn learn(&mut self, delivery: Delivery) {
        match (delivery, &self.turn) {
            (Delivery::Written, turn) => {
                self.written = true;
                self.inner.counters.scraped(true);
                if let Some(turn) = turn {
                    self.inner.scrapers.complete(turn);
                }
            }
            // Later it is the end of an idle connection, by a proxy or a firewall: what the scraper
            // has stored must not get a second zero.
            (Delivery::Reset, Some(turn)) if clock::monotonic() <= self.reset_until => {
                self.inner.scrapers.revoke(turn);
            }
            (Delivery::Reset, _) => {}
        }
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        if !self.written {
            self.inner.counters.scraped(false);
        }
    }
}

/// When a scraper that began at `begun` has given up, so that a reset after it is of another cause.
fn reset_until(begun: Instant, timeout: Option<&HeaderValue>) -> Instant {
    let said = timeout
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let wait = said.unwrap_or(SCRAPE_TIME).min(SCRAPE_TIME_MAX);
    begun + wait + RESET_DELAY_MAX
}

/// To the clean form of a path, with the query. Only GET gets a body.
fn redirect(clean: &str, request: &Request<()>) -> Response<Body> {
    let target = match request.uri().query() {
        Some(query) => format!("{clean}?{query}"),
        None => clean.to_owned(),
    };
    let Ok(location) = HeaderValue::try_from(&target) else {
        return not_found();
    };
    let text = if request.method() == Method::GET {
        let href = target
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&#34;")
            .replace('\'', "&#39;");
        format!("<a href=\"{href}\">Temporary Redirect</a>.\n\n")
    } else {
        String::new()
    };
    let mut response = page(
        StatusCode::TEMPORARY_REDIRECT,
        "text/html; charset=utf-8",
        text,
    );
    response.headers_mut().insert(LOCATION, location);
    response
}

/// Without empty and dotted segments; a slash at the end stays.
fn clean(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let mut clean = format!("/{}", segments.join("/"));
    if path.ends_with('/') && !segments.is_empty() {
        clean.push('/');
    }
    clean
}

/// `response_headers` as they can be sent; the first that cannot.
pub(super) fn response_headers(
    written: &[(String, String)],
) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    written
        .iter()
        .map(|(name, value)| {
            let header = HeaderName::try_from(name).ok();
            header
                .zip(HeaderValue::try_from(value).ok())
                .ok_or_else(|| name.clone())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use http::header::HeaderValue;

    use super::{RESET_DELAY_MAX, SCRAPE_TIME, SCRAPE_TIME_MAX, reset_until};

    #[test]
    fn reset_counts_as_long_as_the_scraper_may_have_waited() {
        let begun = Instant::now();
        for (said, wait) in [
            (Some("2.5"), Duration::from_millis(2500)),
            (None, SCRAPE_TIME),
            (Some("soon"), SCRAPE_TIME),
            (Some("-1"), SCRAPE_TIME),
            (Some("1e300"), SCRAPE_TIME),
            (Some("9999"), SCRAPE_TIME_MAX),
        ] {
            let said = said.map(HeaderValue::from_static);
            let until = reset_until(begun, said.as_ref());
            assert_eq!(until - begun, wait + RESET_DELAY_MAX, "{said:?}");
        }
    }
}
