//! Two components that would listen on one port, found before anything is bound.

use crate::config::endpoint::split;
use crate::config::{Code, Diagnostic, Log, Node, Span};
use crate::exporters::prometheus::options::PrometheusOptions;
use crate::pipeline::components::Options;

use super::ExporterOptions;
use super::sections::Declared;
use super::service::Written;

/// An address that the start will bind.
struct Listener<'a> {
    owner: String,
    endpoint: &'a str,
    span: Span,
}

/// Reports each address that overlaps an earlier one. Only what runs is looked at.
pub(super) fn check(service: &Written, declared: &[Declared], log: &Log) {
    let mut seen: Vec<Listener> = Vec::new();
    for declared in declared {
        let is_used = service
            .references()
            .any(|reference| reference.id == declared.id);
        if !is_used {
            continue;
        }
        for listener in listeners(declared) {
            if let Some(first) = seen.iter().find(|first| overlap(first, &listener)) {
                log.push(
                    Diagnostic::error(
                        Code::Conflict,
                        listener.span,
                        format!(
                            "{} and {} cannot both listen on `{}`",
                            first.owner, listener.owner, listener.endpoint
                        ),
                    )
                    .label("choose another port")
                    .context(first.span, "taken here"),
                );
            }
            seen.push(listener);
        }
    }
}

fn listeners<'a>(declared: &'a Declared) -> Vec<Listener<'a>> {
    let at = |keys: &[&str], endpoint: &'a str| Listener {
        owner: std::iter::once(declared.id.to_string())
            .chain(keys.iter().skip(1).map(|key| (*key).to_owned()))
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(" "),
        endpoint,
        span: place(declared, keys),
    };
    match &declared.component {
        Some((_, Options::Receiver(options))) => {
            let grpc = options
                .grpc
                .iter()
                .map(|grpc| at(&["protocols", "grpc"], &grpc.endpoint));
            let http = options
                .http
                .iter()
                .map(|http| at(&["protocols", "http"], &http.endpoint));
            grpc.chain(http).collect()
        }
        Some((
            _,
            Options::Exporter(ExporterOptions::Prometheus(PrometheusOptions { endpoint, .. })),
        )) => vec![at(&[], endpoint)],
        Some((_, Options::Extension(options))) => vec![at(&[], &options.endpoint)],
        _ => Vec::new(),
    }
}

/// The place of `endpoint` below a component's block, or of the block that has its default.
fn place(declared: &Declared, keys: &[&str]) -> Span {
    let mut node: &Node = declared.node;
    let mut span = declared.span;
    for key in keys.iter().chain(&["endpoint"]) {
        let Some(entry) = node.find(key) else {
            return span;
        };
        node = &entry.node;
        span = if node.is_scalar() {
            node.span
        } else {
            entry.key_span
        };
    }
    span
}

fn overlap(first: &Listener, second: &Listener) -> bool {
    match (split(first.endpoint), split(second.endpoint)) {
        // Port 0 is a new one each time.
        (Ok((host, port)), Ok((other_host, other_port))) => {
            let is_any = |host| matches!(host, "" | "0.0.0.0" | "::");
            let host_of = |host| {
                if host == "localhost" {
                    "127.0.0.1"
                } else {
                    host
                }
            };
            port != 0
                && port == other_port
                && (is_any(host) || is_any(other_host) || host_of(host) == host_of(other_host))
        }
        _ => false,
    }
}
