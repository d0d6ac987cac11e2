//! Which series a scrape shows: names that collide, cells that become one series, births and deaths.

mod exporter_support;

use std::sync::Arc;

use exporter_support::{
    Harness, OPEN_METRICS, Pairs, TEXT, Table, block_on, count, histogram_ms, options, pairs,
    snapshot, span_metrics, stream,
};
use spanmill::exporters::prometheus::Source;
use spanmill::exporters::prometheus::options::PrometheusOptions;
use spanmill::naming::stream::Stream;
use spanmill::store::window::Layout;

const T: u64 = 1_700_000_000_000;
const LAYOUT: Layout = Layout::Histogram { buckets: 2 };
const SCOPE: &str =
    r#"otel_scope_name="spanmetricsconnector",otel_scope_schema_url="",otel_scope_version="""#;
const DROPPED: &str = "spanmill_exporter_dropped_series_total";
const CHANGED: &str = "spanmill_exporter_changed_labels_total";

fn sources(streams: Vec<Stream>) -> Vec<Source> {
    streams
        .into_iter()
        .enumerate()
        .map(|(table, stream)| Source { table, stream })
        .collect()
}

fn calls_and_duration(options: PrometheusOptions, compat: bool) -> Harness {
    Harness::new(options, compat, sources(vec![span_metrics(&[10.0])]))
}

fn shop() -> Pairs {
    pairs(&[("service.name", "shop")])
}

/// Labels of the counters in a text, without the scope's.
fn counters(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| line.starts_with("traces_span_metrics_calls_total"))
        .map(|line| {
            line.replace(SCOPE, "")
                .replace(",,", ",")
                .replace("traces_span_metrics_calls_total", "")
        })
        .collect()
}

fn only(attributes: &[(&str, &str)], compat: bool) -> (Harness, String) {
    let harness = calls_and_duration(options(), compat);
    let mut table = Table::new(LAYOUT);
    table.born(&shop(), &pairs(attributes), vec![1, 0, 1, 0], T);
    harness.show(snapshot(T, 5, &mut [table]));
    let text = harness.text();
    (harness, text)
}

#[test]
fn values_of_colliding_names_are_joined_in_the_order_of_the_keys() {
    let (harness, text) = only(&[("a_b", "1"), ("a-b", "2"), ("a.b", "3")], false);
    assert_eq!(
        counters(&text),
        [r#"{a_b="2;3;1",job="shop"} 1"#.replace("} ", ",} ")]
    );
    // Calls and duration have their labels in common.
    assert!((harness.counted(CHANGED, "joined") - 2.0).abs() < 0.1);
    let (harness, text) = only(&[("a_b", "1"), ("a.b", "3")], true);
    assert_eq!(text, "");
    assert!((harness.counted(DROPPED, "duplicate_label_name") - 1.0).abs() < 0.1);
}

#[test]
fn names_that_are_ours_give_way_as_exported() {
    let (_, text) = only(
        &[
            ("job", "mine"),
            ("exported_job", "other"),
            ("instance", "i"),
        ],
        false,
    );
    // There is no instance label to give way to.
    assert_eq!(
        counters(&text),
        [r#"{exported_exported_job="mine",exported_job="other",instance="i",job="shop",} 1"#]
    );
    let (_, text) = only(&[("otel.scope.name", "x")], false);
    assert_eq!(
        counters(&text),
        [r#"{exported_otel_scope_name="x",job="shop",} 1"#]
    );
    let (_, text) = only(&[("job", "mine")], true);
    assert_eq!(text, "");
}

#[test]
fn le_gives_way_on_histograms_only_in_both_modes() {
    for compat in [false, true] {
        let (_, text) = only(&[("le", "x")], compat);
        assert_eq!(counters(&text), [r#"{job="shop",le="x",} 1"#]);
        assert!(text.contains(&format!(
            "duration_milliseconds_bucket{{exported_le=\"x\",job=\"shop\",{SCOPE},le=\"10\"}} 1\n"
        )));
    }
}

#[test]
fn le_and_what_it_is_renamed_to_are_one_histogram_series_and_two_counters() {
    let harness = calls_and_duration(options(), false);
    let mut table = Table::new(LAYOUT);
    table.born(&shop(), &pairs(&[("le", "x")]), vec![1, 0, 1, 0], T);
    table.born(
        &shop(),
        &pairs(&[("exported_le", "x")]),
        vec![1, 0, 2, 0],
        T,
    );
    harness.show(snapshot(T, 5, &mut [table]));
    let text = harness.text();
    assert_eq!(
        counters(&text),
        [
            r#"{job="shop",le="x",} 1"#,
            r#"{exported_le="x",job="shop",} 2"#
        ]
    );
    let counts: Vec<_> = text
        .lines()
        .filter(|line| line.contains("_count{"))
        .collect();
    assert_eq!(counts.len(), 1);
    assert!(counts[0].ends_with(" 3"));
}

#[test]
fn reserved_and_empty_names_become_legal_or_drop_the_series() {
    for (key, name) in [("__x", "key__x"), ("", "key_"), ("..", "key__")] {
        let (_, text) = only(&[(key, "1")], false);
        assert_eq!(
            counters(&text),
            [format!("{{job=\"shop\",{name}=\"1\",}} 1")]
        );
        let (harness, text) = only(&[(key, "1")], true);
        assert_eq!(text, "");
        assert!((harness.counted(DROPPED, "invalid_label_name") - 1.0).abs() < 0.1);
    }
}

#[test]
fn text_that_is_not_utf8_is_replaced_or_drops_the_series() {
    for compat in [false, true] {
        let harness = calls_and_duration(options(), compat);
        let mut table = Table::new(LAYOUT);
        let key = vec![(b"k".to_vec(), b"a\xff\nb".to_vec())];
        table.born(&shop(), &key, vec![1, 0, 1, 0], T);
        harness.show(snapshot(T, 5, &mut [table]));
        let text = harness.text();
        if compat {
            assert_eq!(text, "");
        } else {
            assert_eq!(counters(&text), ["{job=\"shop\",k=\"a\u{fffd}\\nb\",} 1"]);
        }
        let counter = if compat { DROPPED } else { CHANGED };
        assert!((harness.counted(counter, "invalid_utf8") - 1.0).abs() < 0.1);
    }
}

#[test]
fn const_labels_stand_on_every_series_but_target_info() {
    let mut options = options();
    options.namespace = "ns".to_owned();
    options.const_labels = [
        ("env", "prod"),
        ("data-mode", "m"),
        ("job", "j"),
        ("a.b", "1"),
        ("a_b", "2"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .to_vec();
    let harness = Harness::new(options, false, sources(vec![stream(vec![count("c")])]));
    let mut table = Table::new(Layout::Counter);
    let resource = pairs(&[("service.name", "shop"), ("service.instance.id", "i")]);
    table.born(
        &resource,
        &pairs(&[("data_mode", "x"), ("env", "y")]),
        vec![3],
        T,
    );
    harness.show(snapshot(T, 5, &mut [table]));
    assert_eq!(
        harness.text(),
        format!(
            "# HELP ns_c_total \n# TYPE ns_c_total counter\n\
             ns_c_total{{a_b=\"1;2\",data_mode=\"m\",env=\"prod\",exported_data_mode=\"x\",\
             exported_env=\"y\",exported_job=\"j\",instance=\"i\",job=\"shop\",{SCOPE}}} 3\n\
             # HELP ns_target_info Target metadata\n# TYPE ns_target_info gauge\n\
             ns_target_info{{instance=\"i\",job=\"shop\"}} 1\n"
        )
    );
}

#[test]
fn resource_attributes_overwrite_those_of_the_point_when_they_are_converted() {
    let mut options = options();
    options.resource_to_telemetry_conversion = true;
    let harness = Harness::new(options, false, sources(vec![stream(vec![count("c")])]));
    let mut table = Table::new(Layout::Counter);
    let resource = pairs(&[("service.name", "s"), ("env", "res"), ("x.y", "1")]);
    table.born(
        &resource,
        &pairs(&[("env", "dp"), ("x_y", "2")]),
        vec![1],
        T,
    );
    harness.show(snapshot(T, 5, &mut [table]));
    assert!(harness.text().contains(&format!(
        "c_total{{env=\"res\",job=\"s\",{SCOPE},service_name=\"s\",x_y=\"1;2\"}} 1\n"
    )));
}

#[test]
fn target_info_has_the_newest_attributes_and_goes_with_its_last_series() {
    let harness = Harness::new(options(), false, sources(vec![stream(vec![count("c")])]));
    let resource = |extra: &[(&str, &str)]| {
        let mut all = pairs(&[("service.name", "s"), ("service.instance.id", "i")]);
        all.extend(pairs(extra));
        all
    };
    let info = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.starts_with("target_info"));
        lines.map(str::to_owned).collect()
    };
    let mut tables = [Table::new(Layout::Counter)];
    let old = resource(&[("a-b", "1"), ("a.b", "1"), ("job", "mine"), ("v", "old")]);
    let first = tables[0].born(&old, &pairs(&[("n", "1")]), vec![1], T);
    harness.show(snapshot(T, 5, &mut tables));
    assert_eq!(
        info(&harness.text()),
        [r#"target_info{a_b="1;1",instance="i",job="s",v="old"} 1"#]
    );
    assert!(
        harness
            .scrape(OPEN_METRICS, "test", true)
            .ends_with("job=\"s\",v=\"old\"} 1.0\n# EOF\n")
    );
    let new = resource(&[("v", "new")]);
    let second = tables[0].born(&new, &pairs(&[("n", "2")]), vec![1], T + 1);
    harness.show(snapshot(T, 5, &mut tables));
    assert_eq!(
        info(&harness.text()),
        [r#"target_info{instance="i",job="s",v="new"} 1"#]
    );
    tables[0].expire(second);
    harness.show(snapshot(T, 5, &mut tables));
    assert_eq!(info(&harness.text()).len(), 1);
    tables[0].expire(first);
    harness.show(snapshot(T, 5, &mut tables));
    assert_eq!(harness.text(), "");
}

#[test]
fn target_info_needs_both_job_and_instance() {
    let harness = Harness::new(options(), false, sources(vec![stream(vec![count("c")])]));
    let mut table = Table::new(Layout::Counter);
    for resource in [
        pairs(&[("service.name", "s")]),
        pairs(&[("service.instance.id", "i")]),
        pairs(&[("service.name", ""), ("service.instance.id", "i")]),
        pairs(&[("service.name", "t"), ("service.instance.id", "")]),
    ] {
        table.born(&resource, &Pairs::new(), vec![1], T);
    }
    harness.show(snapshot(T, 5, &mut [table]));
    assert!(!harness.text().contains("target_info"));
}

#[test]
fn cells_of_one_name_are_added_and_one_that_expires_leaves_its_last_seen_value() {
    let harness = calls_and_duration(options(), false);
    let mut tables = [Table::new(LAYOUT)];
    // Host names are no labels here.
    let resource = |host: &str| pairs(&[("service.name", "shop"), ("host.name", host)]);
    let one = tables[0].born(&resource("1"), &Pairs::new(), vec![u64::MAX, 0, 1, 2], T);
    let two = tables[0].born(&resource("2"), &Pairs::new(), vec![1, 0, 10, 20], T);
    harness.show(snapshot(T, 5, &mut tables));
    let text = harness.text();
    assert_eq!(counters(&text), [r#"{job="shop",} 33"#]);
    // The sum carried into its second word: 2^64 ns.
    assert!(text.contains("_sum{") && text.contains("} 1.844674407370955e+13\n"));

    tables[0].set(two, vec![2, 0, 11, 20]);
    tables[0].expire(one);
    harness.show(snapshot(T, 5, &mut tables));
    let text = harness.text();
    assert_eq!(counters(&text), [r#"{job="shop",} 34"#]);
    assert!(text.contains("le=\"10\"} 12\n") && text.contains("le=\"+Inf\"} 34\n"));

    // The last one goes, and the series with it; what comes then starts anew.
    tables[0].expire(two);
    tables[0].born(&resource("3"), &Pairs::new(), vec![0, 0, 1, 0], T + 5);
    harness.show(snapshot(T + 5, 5, &mut tables));
    assert_eq!(counters(&harness.text()), [r#"{job="shop",} 1"#]);
}

#[test]
fn place_of_an_expired_cell_can_be_taken_by_another_between_two_scrapes() {
    let harness = calls_and_duration(options(), false);
    let mut tables = [Table::new(LAYOUT)];
    let old = tables[0].born(&shop(), &pairs(&[("k", "old")]), vec![0, 0, 1, 0], T);
    harness.show(snapshot(T, 5, &mut tables));
    assert_eq!(counters(&harness.text()).len(), 1);
    tables[0].expire(old);
    let new = tables[0].born(&shop(), &pairs(&[("k", "new")]), vec![0, 0, 7, 0], T);
    assert_eq!(old, new);
    harness.show(snapshot(T, 5, &mut tables));
    assert_eq!(counters(&harness.text()), [r#"{job="shop",k="new",} 7"#]);
}

#[test]
fn births_and_deaths_keep_the_order_over_many_chunks() {
    let harness = Harness::new(options(), false, sources(vec![stream(vec![count("c")])]));
    let mut tables = [Table::new(Layout::Counter)];
    let key = |index: usize| pairs(&[("k", &format!("{:05}", index * 7919 % 1009))]);
    let cells: Vec<_> = (0..1009)
        .map(|index| tables[0].born(&shop(), &key(index), vec![index as u64], T))
        .collect();
    for round in 0..3_u32 {
        harness.show(snapshot(T + u64::from(round), 5, &mut tables));
        let text = harness.text();
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let mut sorted = lines.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(lines, sorted, "round {round}");
        for cell in cells.iter().skip(round as usize).step_by(5) {
            tables[0].expire(*cell);
        }
        for index in 0..300 {
            let key = pairs(&[("k", &format!("{:05}x{round}", index * 3))]);
            tables[0].born(&shop(), &key, vec![1], T);
        }
    }
}

#[test]
fn unsorted_and_repeated_bounds_are_put_in_order() {
    let stream = stream(vec![histogram_ms("h", &[5.0, 1.0, 5.0])]);
    let harness = Harness::new(options(), false, sources(vec![stream]));
    let mut table = Table::new(Layout::Histogram { buckets: 4 });
    table.born(
        &Pairs::new(),
        &Pairs::new(),
        vec![0, 0, 1, 10, 100, 1000],
        T,
    );
    harness.show(snapshot(T, 5, &mut [table]));
    let text = harness.text();
    let values: Vec<_> = text
        .lines()
        .filter(|line| line.contains("_bucket") || line.contains("_count"))
        .map(|line| line.rsplit_once("le=").map_or(line, |(_, le)| le))
        .collect();
    assert_eq!(values[..3], ["\"1\"} 10", "\"5\"} 11", "\"+Inf\"} 1111"]);
    assert!(values[3].ends_with("} 1111"));
}

#[test]
fn family_that_a_scraper_would_mistake_for_another_is_left_out_and_said_once() {
    let mut options = options();
    options.add_metric_suffixes = false;
    let harness = Harness::new(
        options,
        false,
        sources(vec![stream(vec![
            histogram_ms("h", &[1.0]),
            count("h_count"),
            count("h"),
            count("target_info"),
            count("x"),
            count("x_total"),
            count("fine"),
        ])]),
    );
    let log = String::from_utf8(harness.log.lock().unwrap().clone()).unwrap();
    assert_eq!(log.lines().count(), 4, "{log}");
    let mut table = Table::new(LAYOUT);
    table.born(&Pairs::new(), &Pairs::new(), vec![0, 0, 1, 0], T);
    harness.show(snapshot(T, 5, &mut [table]));
    let text = harness.text();
    let types: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("# TYPE"))
        .collect();
    assert_eq!(
        types,
        [
            "# TYPE fine counter",
            "# TYPE h histogram",
            "# TYPE x counter"
        ]
    );
}

#[test]
fn tables_of_one_name_share_a_family_and_add_equal_series_when_their_bounds_agree() {
    let mut tables = [Table::new(LAYOUT), Table::new(LAYOUT), Table::new(LAYOUT)];
    for (index, table) in tables.iter_mut().enumerate() {
        table.born(&shop(), &pairs(&[("k", "same")]), vec![0, 0, 1, 0], T);
        table.born(
            &shop(),
            &pairs(&[("k", &index.to_string())]),
            vec![0, 0, 5, 0],
            T,
        );
    }
    let streams = vec![
        span_metrics(&[10.0]),
        span_metrics(&[10.0]),
        span_metrics(&[20.0]),
    ];
    let harness = Harness::new(options(), false, sources(streams));
    harness.show(snapshot(T, 5, &mut tables));
    let text = harness.text();
    assert_eq!(
        counters(&text),
        [
            r#"{job="shop",k="0",} 5"#,
            r#"{job="shop",k="1",} 5"#,
            r#"{job="shop",k="2",} 5"#,
            r#"{job="shop",k="same",} 2"#,
        ]
    );
    assert!((harness.counted(DROPPED, "other_bounds") - 1.0).abs() < 0.1);
    assert!(text.contains("k=\"2\"") && text.contains("le=\"20\""));
}

#[test]
fn table_that_is_named_twice_counts_once() {
    let streams = [span_metrics(&[10.0]), span_metrics(&[10.0])];
    let twice = streams.map(|stream| Source { table: 0, stream }).to_vec();
    let harness = Harness::new(options(), false, twice);
    let mut table = Table::new(LAYOUT);
    table.born(&shop(), &Pairs::new(), vec![0, 0, 1, 0], T);
    harness.show(snapshot(T, 5, &mut [table]));
    assert_eq!(counters(&harness.text()), [r#"{job="shop",} 1"#]);
}

/// Two pipelines from one connector to one exporter, the second without the resource's pod.
#[test]
fn table_that_is_named_twice_shows_its_cells_under_each_name_and_equal_names_once() {
    let first = span_metrics(&[10.0]);
    let describe = std::sync::Arc::clone(&first.describe);
    let mut second = first.clone();
    second.describe = std::sync::Arc::new(move |resource, key| {
        let mut identity = describe(resource, key);
        identity
            .resource
            .retain(|pair| pair.key != b"service.instance.id");
        identity
    });
    let twice = [first, second].map(|stream| Source { table: 0, stream });
    let harness = Harness::new(options(), false, twice.to_vec());
    let pod = |name: &str| pairs(&[("service.name", "shop"), ("service.instance.id", name)]);
    let mut tables = [Table::new(LAYOUT)];
    let nowhere = tables[0].born(&shop(), &Pairs::new(), vec![0, 0, 1, 0], T);
    let one = tables[0].born(&pod("p1"), &Pairs::new(), vec![0, 0, 2, 0], T);
    tables[0].born(&pod("p2"), &Pairs::new(), vec![0, 0, 4, 0], T);
    harness.show(snapshot(T, 5, &mut tables));
    assert_eq!(
        counters(&harness.text()),
        [
            r#"{job="shop",} 7"#,
            r#"{instance="p1",job="shop",} 2"#,
            r#"{instance="p2",job="shop",} 4"#,
        ]
    );
    tables[0].expire(one);
    tables[0].expire(nowhere);
    tables[0].born(&pod("p3"), &Pairs::new(), vec![0, 0, 8, 0], T + 1);
    harness.show(snapshot(T + 1, 6, &mut tables));
    assert_eq!(
        counters(&harness.text()),
        [
            // What expired stays in a sum that goes on.
            r#"{job="shop",} 15"#,
            r#"{instance="p2",job="shop",} 4"#,
            r#"{instance="p3",job="shop",} 8"#,
        ]
    );
}

#[test]
fn nothing_is_an_empty_text_and_a_lone_eof() {
    let harness = calls_and_duration(options(), false);
    harness.show(snapshot(T, 0, &mut [Table::new(LAYOUT)]));
    assert_eq!(harness.scrape(TEXT, "test", true), "");
    assert_eq!(harness.scrape(OPEN_METRICS, "test", true), "# EOF\n");
}

#[test]
fn large_scrape_is_the_same_in_pieces_compressed_and_while_the_store_goes_on() {
    let harness = Arc::new(calls_and_duration(options(), false));
    let mut tables = [Table::new(LAYOUT)];
    for index in 0..2000 {
        let key = pairs(&[("k", &format!("{index:04}"))]);
        tables[0].born(&shop(), &key, vec![0, 0, index, 0], T);
    }
    harness.show(snapshot(T, 5, &mut tables));
    let text = harness.text();
    assert_eq!(text.lines().count(), 4 + 2000 * 5);
    let zipped = harness.bytes(&[("accept", TEXT), ("accept-encoding", "gzip")], true);
    let mut unzipped = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*zipped), &mut unzipped)
        .unwrap();
    assert!(unzipped == text);

    // A scrape begun keeps what it saw, whatever is born, dies and is scraped meanwhile.
    let request = http::Request::get("/metrics").body(()).unwrap();
    let again = block_on(async {
        let peer = "127.0.0.1:1".parse().unwrap();
        let answer = (harness.exporter.handler())(request, peer).await;
        for cell in 0..1000 {
            tables[0].expire(cell);
        }
        tables[0].born(&shop(), &pairs(&[("k", "new")]), vec![0, 0, 1, 0], T);
        harness.show(snapshot(T, 5, &mut tables));
        let other = http::Request::get("/metrics").body(()).unwrap();
        let other = (harness.exporter.handler())(other, peer).await;
        let other = http_body_util::BodyExt::collect(other.response.into_body())
            .await
            .unwrap();
        let text = String::from_utf8(other.to_bytes().to_vec()).unwrap();
        assert_eq!(text.lines().count(), 4 + 1001 * 5);
        http_body_util::BodyExt::collect(answer.response.into_body())
            .await
            .unwrap()
    });
    assert!(again.to_bytes() == text.as_bytes());
}
