//! `/metrics` of our own metrics, usually at `localhost:8888`.

use std::sync::Arc;

use http::StatusCode;

use super::web::{Answer, Handler, not_found, page};
use crate::telemetry::counters::Registry;
use crate::telemetry::exposition::{CONTENT_TYPE, render};

/// `resource`: the attributes that stand on every series.
#[must_use]
pub fn handler(registry: Arc<Registry>, resource: Vec<(String, String)>) -> Handler {
    Arc::new(move |request, _| {
        let response = if request.uri().path() == "/metrics" {
            page(StatusCode::OK, CONTENT_TYPE, render(&registry, &resource))
        } else {
            not_found()
        };
        Box::pin(async move { Answer::new(response) })
    })
}
