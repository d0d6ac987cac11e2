//! Scenarios as text, read through the functions that everybody uses.

use crate::config::{Reading, Report, Section, Source, parse};

/// What `read` makes of a file, or what is wrong with it.
pub(super) fn read<T>(text: &str, read: impl FnOnce(&mut Section) -> T) -> Result<T, String> {
    let source = Source::new("scenario.yaml", text);
    let reading = Reading::default();
    let node = parse(&source, &reading.log).expect("well-formed YAML");
    let got = Section::read(&reading, String::new(), node.span, &node, read);
    let mut report = Report::default();
    report.add(source, reading.log);
    if report.has_errors() {
        Err(report.render())
    } else {
        Ok(got)
    }
}
