//! Lines that are of the format, and lines that are not.

use super::*;

/// Name, labels and value of each sample.
type Read = Vec<(String, Vec<(String, String)>, f64)>;

fn samples(text: &str) -> Result<Read, GenerateError> {
    samples_of(text, Format::Text)
}

fn samples_of(text: &str, format: Format) -> Result<Read, GenerateError> {
    let mut samples = Vec::new();
    read(text, format, |sample| {
        let labels = sample
            .labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.to_string()))
            .collect();
        samples.push((sample.name.to_owned(), labels, sample.value));
        Ok(())
    })?;
    Ok(samples)
}

#[test]
fn lines_of_a_real_exposition_are_read() {
    let text = concat!(
        "# HELP acs_x \n",
        "# TYPE acs_x counter\n",
        "# EOF\n",
        "#\n",
        "\n",
        "acs_x{job=\"shop/cart\",le=\"+Inf\"} 1.5e+06 1795382595714\n",
        "plain 0\n",
        "odd:name{} NaN -5\n",
        "trailing{a=\"b\",} -Inf\n",
    );
    let samples = samples(text).expect("well-formed");
    let labels = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        let owned = |pair: &(&str, &str)| (pair.0.to_owned(), pair.1.to_owned());
        pairs.iter().map(owned).collect()
    };
    assert_eq!(samples.len(), 4);
    let first = labels(&[("job", "shop/cart"), ("le", "+Inf")]);
    assert_eq!(samples[0], ("acs_x".to_owned(), first, 1.5e6));
    assert_eq!(samples[1], ("plain".to_owned(), Vec::new(), 0.0));
    assert!(samples[2].2.is_nan());
    assert_eq!(samples[3].1, labels(&[("a", "b")]));
}

#[test]
fn escapes_of_label_values_are_undone() {
    let samples = samples("m{a=\"x\\\\y\\\"z\\nw\",b=\"}, {\",c=\"\"} 1\n").expect("well-formed");
    let values: Vec<&str> = samples[0]
        .1
        .iter()
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(values, ["x\\y\"z\nw", "}, {", ""]);
}

#[test]
fn what_is_not_of_the_format_is_refused_with_its_line() {
    for line in [
        "9m 1",
        "m",
        "m ",
        "m{a=\"b\"}",
        "m{a=\"b\" 1",
        "m{a=\"b} 1",
        "m{a=b} 1",
        "m{a=\"b\"c=\"d\"} 1",
        "m{a=\"b\",a=\"c\"} 1",
        "m{a=\"\\t\"} 1",
        "m{a=\"\\",
        "m{a:b=\"c\"} 1",
        "m{,} 1",
        "m one",
        "m infinity",
        "m 0x10",
        "m 1 1.5",
        "m 1 2 3",
        "m-x 1",
        "# TYPE m histogramm",
        "# TYPE m",
        "# HELP 9m text",
    ] {
        let error = samples(&format!("good 1\n{line}\n")).expect_err(line);
        assert!(
            matches!(error, GenerateError::Exposition { line: 2, .. }),
            "{line}: {error}"
        );
    }
}

#[test]
fn text_that_was_cut_is_refused() {
    assert!(samples("m 1\nm_count 12").is_err());
    assert!(samples("").expect("empty").is_empty());
}

#[test]
fn openmetrics_is_read_without_its_exemplars() {
    let text = concat!(
        "# TYPE x counter\n",
        "# UNIT x seconds\n",
        "x_total{a=\"b # {\"} 3.0 1795382595.714 # {trace_id=\"12\"} 5.5 1795382595.1\n",
        "x_created{a=\"b # {\"} 1.7e9\n",
        "y_bucket{le=\"1.0\"} 2 # {} 0.5\n",
        "# EOF\n",
    );
    let samples = samples_of(text, Format::OpenMetrics).expect("well-formed");
    let names: Vec<(&str, f64)> = samples.iter().map(|of| (&*of.0, of.2)).collect();
    assert_eq!(
        names,
        [("x_total", 3.0), ("x_created", 1.7e9), ("y_bucket", 2.0)]
    );
    for cut in [
        text.strip_suffix("# EOF\n").expect("an end").to_owned(),
        format!("{text}x 1\n"),
        text.replace(" 5.5 1795382595.1", ""),
        text.replace("# {trace_id=\"12\"}", "# trace_id"),
        text.replace("counter", "untyped"),
    ] {
        assert!(samples_of(&cut, Format::OpenMetrics).is_err(), "{cut}");
    }
    assert!(self::samples(text).is_err(), "no exemplars in text 0.0.4");
}

#[test]
fn content_type_tells_the_format() {
    for (content_type, format) in [
        ("", Format::Text),
        ("text/plain; version=0.0.4; charset=utf-8", Format::Text),
        (
            "application/openmetrics-text; version=1.0.0",
            Format::OpenMetrics,
        ),
    ] {
        assert_eq!(Format::of(content_type), format);
    }
}
