//! The command line as a person meets it: help texts, the version, exit statuses.
//!
//! A changed text is accepted with `INSTA_UPDATE=always cargo test --test command_line`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const GUIDE: &str = "config/guide-scrape.yaml";

fn spanmill(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_spanmill"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("COLUMNS", "100")
        .output()
        .expect("the program runs")
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}

/// What is said on standard error; nothing else may be, and the status is the Collector's 1.
fn refusal(arguments: &[&str]) -> String {
    let output = spanmill(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    assert_eq!(output.stdout, b"", "{arguments:?}");
    text(output.stderr)
}

fn accepts(arguments: &[&str]) {
    let output = spanmill(arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        text(output.stderr)
    );
}

#[test]
fn help_of_every_command_is_the_golden_text() {
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/help");
    insta::with_settings!({
        snapshot_path => snapshots,
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        for command in ["", "validate", "explain", "generate", "demo"] {
            let words: Vec<&str> = [command, "--help"].into_iter().filter(|w| !w.is_empty()).collect();
            let output = spanmill(&words);
            assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
            let name = if command.is_empty() { "spanmill" } else { command };
            insta::assert_snapshot!(name, text(output.stdout));
        }
    });
}

#[test]
fn version_is_told_by_both_of_its_flags() {
    for flag in ["-v", "--version"] {
        let output = spanmill(&[flag]);
        assert!(output.status.success(), "{flag}");
        let wanted = concat!("spanmill ", env!("CARGO_PKG_VERSION"), "\n");
        assert_eq!(text(output.stdout), wanted);
    }
}

#[test]
fn without_configuration_the_two_ways_on_are_told() {
    let said = refusal(&[]);
    for part in [
        "a --config must be given",
        "spanmill --config=FILE",
        "spanmill demo",
    ] {
        assert!(said.contains(part), "{part} is missing in {said}");
    }
}

#[test]
fn wrong_command_lines_exit_with_1_as_the_collector_does() {
    for (arguments, part) in [
        (&["--feature-gates", "a"][..], "--config <FILE>"),
        (&["-config=x"], "unexpected argument '-c'"),
        (&["--confg=x"], "'--config'"),
        (&["--config"], "a value is required"),
        (
            &["--config=a", "--config=b"],
            "cannot be used multiple times",
        ),
        (&["--config=a", "demo"], "cannot be used with"),
        (&["run"], "unrecognized subcommand 'run'"),
        (&["validate"], "--config <FILE>"),
        (&["explain", "--config=x"], "--plan"),
        (&["demo", "--for", "20"], "a unit is missing"),
        (&["generate", "--rate=-1"], "a rate is a number"),
    ] {
        let said = refusal(arguments);
        assert!(said.contains(part), "{part} is missing in {said}");
    }
}

#[test]
fn configuration_that_is_not_there_is_named_with_the_reason() {
    for command in [&[][..], &["validate"], &["explain", "--plan"]] {
        for prefix in ["", "file:"] {
            let config = format!("--config={prefix}no/such/file.yaml");
            let said = refusal(&[command, &[&config]].concat());
            assert!(
                said.starts_with("error: cannot read no/such/file.yaml: No such file"),
                "{said}"
            );
        }
    }
}

#[test]
fn path_may_stand_behind_its_scheme() {
    let with_scheme = format!("file:{GUIDE}");
    for config in [GUIDE, &with_scheme] {
        accepts(&["validate", "--config", config]);
        accepts(&["explain", "--plan", &format!("--config={config}")]);
    }
}

#[test]
fn feature_gates_may_be_given_several_times() {
    let config = format!("--config={GUIDE}");
    let known = [
        "--feature-gates=spanmill.collectorCompat",
        "--feature-gates",
        "-spanmill.collectorCompat",
    ];
    accepts(&[&["validate", &config][..], &known].concat());
    let wrong = [
        "--feature-gates",
        "no.such.gate",
        "--feature-gates=nor.this",
    ];
    for command in [&[][..], &["validate"]] {
        let said = refusal(&[command, &[&config], &wrong[..]].concat());
        assert!(
            said.contains("no.such.gate") && said.contains("nor.this"),
            "{said}"
        );
    }
}

#[test]
fn what_is_accepted_for_its_plain_meaning_is_refused_when_strict() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.yaml");
    let guide =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(GUIDE)).expect("UTF-8");
    fs::write(
        &file,
        guide.replace("extensions:\n  zpages:\n", "zpages:\n"),
    )
    .expect("written");
    let config = format!("--config={}", file.display());
    accepts(&["validate", &config]);
    assert!(refusal(&["validate", &config, "--strict"]).contains("belongs under `extensions`"));
}
