//! `Accept` and `Accept-Encoding` in, format and compression out, as the Collector chooses them.
//!
//! Protobuf is not spoken: such a clause is passed over and the next one decides. The escaping that
//! a client asks for is named back; names and labels are of the legacy set, which every escaping
//! leaves as it is.

use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_ENCODING};

use crate::telemetry::text_format::Dialect;

/// Clauses of a header that are looked at.
const CLAUSES_MAX: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) dialect: Dialect,
    pub(super) content_type: String,
}

struct Clause<'a> {
    main: &'a str,
    sub: &'a str,
    quality: f64,
    parameters: Vec<(&'a str, &'a str)>,
}

impl Clause<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .rev()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    }
}

/// Only the first `Accept` line counts. There is no 406: what is not understood gets text.
pub(super) fn format(headers: &HeaderMap, open_metrics: bool) -> Format {
    let accept = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut clauses: Vec<Clause> = accept
        .split(',')
        .take(CLAUSES_MAX)
        .filter_map(clause)
        .collect();
    // Stable: equal ones keep their order, and a star goes behind a word.
    clauses.sort_by(|a, b| {
        b.quality
            .total_cmp(&a.quality)
            .then((a.main == "*").cmp(&(b.main == "*")))
            .then((a.sub == "*").cmp(&(b.sub == "*")))
    });
    let mut escaping = "underscores";
    for clause in &clauses {
        // Taken even when the clause itself does not match.
        if let Some(asked) = clause.parameter("escaping") {
            escaping = match asked {
                "allow-utf-8" => "allow-utf-8",
                "underscores" => "underscores",
                "dots" => "dots",
                "values" => "values",
                _ => escaping,
            };
        }
        let version = clause.parameter("version");
        match (clause.main, clause.sub) {
            ("text", "plain") if matches!(version, None | Some("0.0.4")) => {
                return text(escaping);
            }
            ("application", "openmetrics-text") if open_metrics => match version {
                Some("1.0.0") => return openmetrics("1.0.0", escaping),
                None | Some("0.0.1") => return openmetrics("0.0.1", escaping),
                Some(_) => {}
            },
            _ => {}
        }
    }
    text(escaping)
}

/// All `Accept-Encoding` lines count; at equal quality nothing is compressed.
pub(super) fn gzip(headers: &HeaderMap) -> bool {
    let asked: Vec<(&str, f64)> = headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .take(CLAUSES_MAX)
        .map(coding)
        .collect();
    let quality = |offer: &str| {
        asked
            .iter()
            .filter(|(coding, _)| *coding == "*" || *coding == offer)
            .fold(-1.0, |best: f64, (_, quality)| best.max(*quality))
    };
    let (identity, gzip) = (quality("identity"), quality("gzip"));
    gzip > identity && gzip > 0.0
}

fn text(escaping: &str) -> Format {
    Format {
        dialect: Dialect::Text,
        content_type: format!("text/plain; version=0.0.4; charset=utf-8; escaping={escaping}"),
    }
}

fn openmetrics(version: &str, escaping: &str) -> Format {
    Format {
        dialect: Dialect::OpenMetrics,
        content_type: format!(
            "application/openmetrics-text; version={version}; charset=utf-8; escaping={escaping}"
        ),
    }
}

fn clause(text: &str) -> Option<Clause<'_>> {
    let mut parts = text.split(';').map(|part| part.trim_matches(' '));
    let (main, sub) = match parts.next()? {
        "*" => ("*", "*"),
        range => range.split_once('/')?,
    };
    let mut clause = Clause {
        main: main.trim_matches(' '),
        sub: sub.trim_matches(' '),
        quality: 1.0,
        parameters: Vec::new(),
    };
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        let (name, value) = (name.trim_matches(' '), value.trim_matches(' '));
        if name == "q" {
            clause.quality = value.parse().unwrap_or(0.0);
        } else {
            clause.parameters.push((name, value));
        }
    }
    Some(clause)
}

fn coding(text: &str) -> (&str, f64) {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let quality = parts
        .filter_map(|part| part.strip_prefix("q="))
        .map(|value| value.parse().unwrap_or(0.0))
        .next()
        .unwrap_or(1.0);
    (name, quality)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderName, HeaderValue};

    use super::{format, gzip};

    const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8; escaping=";
    const OM_100: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=";
    const OM_001: &str = "application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=";

    const PROMETHEUS_2_42: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    const PROMETHEUS_3_5: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

    fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for value in values {
            map.append(name, HeaderValue::from_str(value).expect("a header"));
        }
        map
    }

    #[test]
    fn accept_decides_the_format_as_recorded() {
        let table = [
            ("", TEXT, "underscores"),
            ("*/*", TEXT, "underscores"),
            (
                "application/openmetrics-text;version=1.0.0",
                OM_100,
                "underscores",
            ),
            (
                "application/openmetrics-text;version=0.0.1",
                OM_001,
                "underscores",
            ),
            ("application/openmetrics-text", OM_001, "underscores"),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8",
                OM_100,
                "allow-utf-8",
            ),
            (
                "text/plain;version=1.0.0;escaping=allow-utf-8",
                TEXT,
                "allow-utf-8",
            ),
            (
                "text/plain;version=0.0.4;escaping=allow-utf-8",
                TEXT,
                "allow-utf-8",
            ),
            ("text/plain;escaping=dots", TEXT, "dots"),
            ("text/plain;escaping=values", TEXT, "values"),
            ("text/plain;escaping=odd", TEXT, "underscores"),
            (PROMETHEUS_3_5, OM_100, "allow-utf-8"),
            (PROMETHEUS_2_42, OM_100, "underscores"),
            ("application/json", TEXT, "underscores"),
            (
                "text/plain;q=0.1,application/openmetrics-text;version=1.0.0;q=0.9",
                OM_100,
                "underscores",
            ),
            (
                "application/openmetrics-text;version=9.9.9",
                TEXT,
                "underscores",
            ),
            (
                "application/openmetrics-text;q=x, text/plain",
                TEXT,
                "underscores",
            ),
            (
                " application/openmetrics-text ; version=1.0.0 ; q=1 ",
                OM_100,
                "underscores",
            ),
            ("Application/OpenMetrics-Text", TEXT, "underscores"),
        ];
        for (accept, start, escaping) in table {
            let headers = headers(&ACCEPT, &[accept]);
            assert_eq!(
                format(&headers, true).content_type,
                format!("{start}{escaping}"),
                "{accept:?}"
            );
        }
        assert_eq!(
            format(&HeaderMap::new(), true).content_type,
            format!("{TEXT}underscores")
        );
    }

    #[test]
    fn open_metrics_is_not_given_when_it_is_not_enabled() {
        let table = [
            ("application/openmetrics-text;version=1.0.0", "underscores"),
            (PROMETHEUS_3_5, "allow-utf-8"),
            (PROMETHEUS_2_42, "underscores"),
        ];
        for (accept, escaping) in table {
            let headers = headers(&ACCEPT, &[accept]);
            assert_eq!(
                format(&headers, false).content_type,
                format!("{TEXT}{escaping}"),
                "{accept:?}"
            );
        }
    }

    #[test]
    fn only_the_first_accept_line_counts() {
        let headers = headers(&ACCEPT, &["text/plain", "application/openmetrics-text"]);
        assert_eq!(
            format(&headers, true).content_type,
            format!("{TEXT}underscores")
        );
    }

    #[test]
    fn gzip_is_chosen_as_recorded() {
        let table: [(&[&str], bool); 14] = [
            (&[], false),
            (&[""], false),
            (&["gzip"], true),
            (&["gzip, deflate, br"], true),
            (&["gzip;q=0.001"], true),
            (&["gzip;q=0"], false),
            (&["*"], false),
            (&["identity"], false),
            (&["zstd"], false),
            (&["br"], false),
            (&["gzip;q=0.5, identity;q=0.5"], false),
            (&["deflate, gzip;q=1.0, *;q=0.5"], true),
            (&["identity;q=0.5", "gzip"], true),
            (&["identity;q=0, gzip;q=0"], false),
        ];
        for (lines, expected) in table {
            assert_eq!(
                gzip(&headers(&ACCEPT_ENCODING, lines)),
                expected,
                "{lines:?}"
            );
        }
    }
}
