//! The span metrics as a Prometheus shows them: Prometheus 2.42 and 3, `VictoriaMetrics`, or
//! whatever else answers `/api/v1/query`.
//!
//! All queries of one reading are asked for one instant, by metric name and, where there are many
//! series, bucket by bucket, so that no answer is large. Numbers are strings there and exact.
//!
//! What the scrape has done to labels is undone. A target label pushes a label of the series aside,
//! which is then called `exported_...`: it takes its name back. A `job` and `instance` of the scrape
//! alone are taken off; the series' own stay, which is told by what `up` says. Prometheus writes the
//! bounds of 3.0 as `1.0` where 2 has `1`; they are compared as numbers. Native histograms are not
//! compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::exposition::read_value;
use super::fetch::{BoxError, get};
use super::labels::{LabelSet, escaped};
use super::observed::{Observed, Watch};
use super::reading::{Read, refused, within};
use crate::generate::error::GenerateError;
use crate::generate::target::Target;

/// Of one answer.
const ANSWER_BYTES_MAX: usize = 1 << 30;
/// More are asked for bucket by bucket.
const SERIES_PER_QUERY_MAX: f64 = 50_000.0;

const PATH: &str = "/api/v1/query";
const ACCEPT_JSON: &str = "application/json";

#[derive(Debug)]
pub(super) struct Api {
    pub(super) target: Target,
    matchers: String,
}

/// The head of an answer.
#[derive(Deserialize)]
struct Head<'a> {
    status: String,
    #[serde(default)]
    error: String,
    /// Of a cluster of which a part did not answer.
    #[serde(default, rename = "isPartial")]
    is_partial: bool,
    #[serde(borrow)]
    data: Option<Results<'a>>,
}

#[derive(Deserialize)]
struct Results<'a> {
    #[serde(rename = "resultType")]
    kind: String,
    #[serde(borrow)]
    result: &'a RawValue,
}

/// One series at the instant.
#[derive(Debug, Deserialize)]
pub(super) struct Element {
    metric: BTreeMap<String, String>,
    value: Option<(f64, String)>,
}

/// Labels of the scrapes themselves.
#[derive(Debug, Default)]
pub(super) struct Scrapes {
    instances: BTreeSet<String>,
    down: Vec<String>,
}

/// Whether the target answers queries.
pub(super) async fn answers(target: &Target) -> Result<bool, GenerateError> {
    let path = query_path(target, "vector(1)", None);
    let asked = async {
        let mut answer = get(target, &path, ACCEPT_JSON).await?;
        if answer.status != http::StatusCode::OK {
            return Ok(false);
        }
        // An exposition on every path is none, however long.
        if !answer.content_type.starts_with(ACCEPT_JSON) {
            return Ok(false);
        }
        let body = answer.whole(ANSWER_BYTES_MAX).await?;
        let head = serde_json::from_slice::<Head>(&body);
        Ok::<_, BoxError>(head.is_ok_and(|head| head.status == "success"))
    };
    let answered = within(target, asked).await?;
    answered.map_err(|error| refused(target, error.to_string()))
}

impl Api {
    pub(super) fn new(target: Target, matchers: String) -> Self {
        Self { target, matchers }
    }

    pub(super) async fn read(&self, watch: &Watch) -> Result<Read, BoxError> {
        let mut time = String::new();
        let instant = self.ask("vector(time())", None).await?;
        each_element(&instant, |element| {
            time = element.value.map(|(_, text)| text).unwrap_or_default();
            Ok(())
        })?;
        let time = Some(time.as_str());
        let mut scrapes = Scrapes::default();
        each_element(&self.ask("up", time).await?, |element| {
            scrapes.add(element);
            Ok(())
        })?;

        let mut observed = Observed::new(watch);
        for names in &watch.groups {
            for counter in [&names.calls, &names.events] {
                // OpenMetrics gives counters this ending, whatever the exporter's configuration says.
                let selector = self.selector(&[counter, &format!("{counter}_total")], "");
                self.read_into(&mut observed, watch, &scrapes, &selector, time)
                    .await?;
            }
            for name in [&names.sum, &names.count] {
                let selector = self.selector(&[name], "");
                self.read_into(&mut observed, watch, &scrapes, &selector, time)
                    .await?;
            }
            for selector in self.buckets(&names.bucket, time).await? {
                self.read_into(&mut observed, watch, &scrapes, &selector, time)
                    .await?;
            }
        }
        observed.sort_buckets();
        Ok(Read {
            observed,
            down: scrapes.down,
        })
    }

    /// Selectors that together select all buckets.
    async fn buckets(&self, name: &str, time: Option<&str>) -> Result<Vec<String>, BoxError> {
        let all = self.selector(&[name], "");
        let mut counts = Vec::new();
        let by_bound = self.ask(&format!("count by (le) ({all})"), time).await?;
        each_element(&by_bound, |element| {
            let le = element.metric.get("le").cloned().unwrap_or_default();
            let count = element.value.ok_or("a count has no value")?.1;
            counts.push((le, read_value(&count)?));
            Ok(())
        })?;
        let series: f64 = counts.iter().map(|(_, count)| count).sum();
        if series <= SERIES_PER_QUERY_MAX {
            return Ok(vec![all]);
        }
        let of_bound = |(le, _): &(String, f64)| self.selector(&[name], &format!(",le={le:?}"));
        Ok(counts.iter().map(of_bound).collect())
    }

    /// Series of one of `names`, escaped or not, that `more` matches.
    fn selector(&self, names: &[&str], more: &str) -> String {
        let mut all: Vec<String> = Vec::new();
        for name in names {
            for name in [(*name).to_owned(), escaped(name)] {
                if !all.contains(&name) {
                    all.push(name);
                }
            }
        }
        // Letters, digits, `_` and `:` only: nothing to escape.
        let mut selector = format!("{{__name__=~\"{}\"{more}", all.join("|"));
        if !self.matchers.is_empty() {
            selector.push(',');
            selector.push_str(&self.matchers);
        }
        selector + "}"
    }

    async fn read_into(
        &self,
        observed: &mut Observed,
        watch: &Watch,
        scrapes: &Scrapes,
        selector: &str,
        time: Option<&str>,
    ) -> Result<(), BoxError> {
        let answer = self.ask(selector, time).await?;
        let mut set = LabelSet::new();
        each_element(&answer, |element| {
            add(observed, watch, scrapes, &element, &mut set)
        })
        .map_err(|error| format!("{selector}: {error}").into())
    }

    /// The body of an answer that says it is one.
    async fn ask(&self, query: &str, time: Option<&str>) -> Result<Vec<u8>, BoxError> {
        let path = query_path(&self.target, query, time);
        let mut answer = get(&self.target, &path, ACCEPT_JSON).await?;
        let body = answer.whole(ANSWER_BYTES_MAX).await?;
        let status = answer.status;
        let head = serde_json::from_slice::<Head>(&body).map_err(|error| {
            format!("HTTP status {status}, and no answer of a Prometheus API: {error}")
        })?;
        if head.status != "success" {
            return Err(format!("HTTP status {status}: {query}: {}", head.error).into());
        }
        if head.is_partial {
            return Err(format!("{query}: the answer is partial").into());
        }
        Ok(body)
    }
}

impl Scrapes {
    fn add(&mut self, up: Element) {
        let Element { mut metric, value } = up;
        let instance = metric.remove("instance").unwrap_or_default();
        if value.is_some_and(|(_, text)| text == "0") {
            self.down.push(instance.clone());
        }
        self.instances.insert(instance);
    }
}

/// `VictoriaMetrics` hides the last half minute unless it is told not to; others know no `nocache`.
fn query_path(target: &Target, query: &str, time: Option<&str>) -> String {
    let mut path = format!("{}{PATH}?nocache=1&query=", target.path);
    for byte in query.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' => path.push(byte.into()),
            _ => write!(path, "%{byte:02X}").expect("a String takes every write"),
        }
    }
    if let Some(time) = time {
        path.push_str("&time=");
        path.push_str(time);
    }
    path
}

/// Calls `visit` with each element of a vector.
fn each_element(
    body: &[u8],
    visit: impl FnMut(Element) -> Result<(), &'static str>,
) -> Result<(), BoxError> {
    let head: Head = serde_json::from_slice(body)?;
    let data = head.data.ok_or("an answer without data")?;
    if data.kind != "vector" {
        return Err(format!("a {} where a vector must be", data.kind).into());
    }
    let mut json = serde_json::Deserializer::from_str(data.result.get());
    Ok(json.deserialize_seq(EachElement(visit))?)
}

/// Visits the elements of a list as they are read, so that they are never all there.
struct EachElement<F>(F);

impl<'de, F: FnMut(Element) -> Result<(), &'static str>> Visitor<'de> for EachElement<F> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a list of series")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element()? {
            (self.0)(element).map_err(serde::de::Error::custom)?;
        }
        Ok(())
    }
}

/// Adds a series with its labels as the target had them.
fn add(
    observed: &mut Observed,
    watch: &Watch,
    scrapes: &Scrapes,
    element: &Element,
    set: &mut LabelSet,
) -> Result<(), &'static str> {
    let Element { metric, value } = element;
    let Some((_, value)) = value else {
        return Err("a native histogram, which is not compared");
    };
    let value = read_value(value)?;
    let name = metric.get("__name__").ok_or("a series without a name")?;
    let mut name = escaped(name);
    if !watch.knows(&name)
        && let Some(counter) = name.strip_suffix("_total")
    {
        name = counter.to_owned();
    }
    let names: Vec<(String, &str)> = own_labels(metric, scrapes)
        .map(|(name, value)| (escaped(name), value))
        .collect();
    let mut labels = names
        .iter()
        .map(|(name, value)| (&**name, *value))
        .collect();
    observed.add(watch, &name, &mut labels, value, set)
}

/// The labels that the series had before it was scraped.
fn own_labels<'a>(
    metric: &'a BTreeMap<String, String>,
    scrapes: &'a Scrapes,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let is_pushed = |name: &str| metric.contains_key(&format!("exported_{name}"));
    let is_job_pushed = is_pushed("job");
    metric.iter().filter_map(move |(name, value)| {
        if name == "__name__" || is_pushed(name) {
            return None;
        }
        if name == "instance" && (is_job_pushed || scrapes.instances.contains(value)) {
            return None;
        }
        let pushed = name.strip_prefix("exported_");
        let pushed = pushed.filter(|pushed| metric.contains_key(*pushed));
        Some((pushed.unwrap_or(name), value.as_str()))
    })
}

#[cfg(test)]
mod tests;
