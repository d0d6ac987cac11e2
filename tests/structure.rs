//! The tree keeps its shape: imports go down one order, files say what they are, documents name
//! what exists. Reads sources as text.

use std::fs;
use std::path::{Path, PathBuf};

/// Levels of `src/`, lowest first. A folder may import folders of lower levels only.
const LEVELS: [&[&str]; 6] = [
    &["config", "telemetry", "batch", "naming"],
    &["workers"],
    &["decode", "processors", "store", "generate"],
    &["receivers", "connectors", "exporters", "extensions"],
    &["pipeline"],
    &["cli"],
];

/// What a folder may know, where that is less than everything below it.
const NARROWED: [(&str, &[&str]); 11] = [
    ("batch", &[]),
    ("naming", &[]),
    ("config", &[]),
    ("telemetry", &[]),
    ("workers", &["telemetry", "config"]),
    ("decode", &["batch"]),
    ("processors", &["batch", "config", "telemetry"]),
    ("store", &["telemetry"]),
    ("generate", &["config", "telemetry"]),
    (
        "connectors",
        &["batch", "store", "naming", "config", "telemetry"],
    ),
    (
        "exporters",
        &["batch", "store", "naming", "workers", "config", "telemetry"],
    ),
];

const LINES_MAX: usize = 600;

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("folder exists") {
        let path = entry.expect("entry reads").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn level(folder: &str) -> Option<usize> {
    LEVELS.iter().position(|level| level.contains(&folder))
}

/// The folder of `src/` that a source file belongs to; `None` for `lib.rs` and `main.rs`.
fn folder_of(path: &Path) -> Option<String> {
    let inner = path.strip_prefix(root().join("src")).ok()?;
    let first = inner.components().next()?.as_os_str().to_str()?.to_owned();
    level(&first).map(|_| first)
}

/// Every folder named after `crate::` in a line that is no comment.
fn imported(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            let name: String = rest
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            if level(&name).is_some() {
                found.push((number + 1, name));
            }
        }
    }
    found
}

#[test]
fn imports_only_go_down_the_order_of_the_design() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in sources(&root().join("src")) {
        let Some(folder) = folder_of(&path) else {
            continue;
        };
        let text = fs::read_to_string(&path).expect("source reads");
        for (line, target) in imported(&text) {
            seen += 1;
            if target == folder {
                continue;
            }
            let narrowed = NARROWED
                .iter()
                .find(|(name, _)| *name == folder)
                .map(|(_, may)| *may);
            let allowed = match narrowed {
                Some(may) => may.contains(&target.as_str()),
                None => level(&target) < level(&folder),
            };
            if !allowed {
                wrong.push(format!(
                    "{}:{line}: {folder} imports {target}",
                    path.display()
                ));
            }
        }
    }
    assert!(seen > 0, "no import was read: the test sees nothing");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn an_upward_import_is_seen() {
    let found = imported("use crate::pipeline::plan::Plan;\n// use crate::cli::x;\n");
    assert_eq!(found, [(1, "pipeline".to_owned())]);
    assert!(level("pipeline") > level("receivers"));
}

#[test]
fn files_say_what_they_are_and_stay_small() {
    let mut wrong = Vec::new();
    for path in sources(&root().join("src")) {
        let text = fs::read_to_string(&path).expect("source reads");
        let name = path.display();
        let is_test = path
            .file_name()
            .is_some_and(|file| file.to_string_lossy().ends_with("tests.rs"));
        if !is_test && !text.starts_with("//!") {
            wrong.push(format!("{name}: does not open with a paragraph"));
        }
        if !text.is_ascii() {
            wrong.push(format!("{name}: is not ASCII"));
        }
        let is_test = path
            .file_name()
            .is_some_and(|file| file == "tests.rs" || file == "naive.rs");
        if !is_test && text.lines().count() > LINES_MAX {
            wrong.push(format!("{name}: more than {LINES_MAX} lines"));
        }
        for tag in ["TODO", "FIXME", "XXX"] {
            if text.contains(tag) {
                wrong.push(format!("{name}: holds {tag}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn documents_name_paths_that_exist() {
    let mut wrong = Vec::new();
    for document in ["README.md", "docs/architecture.md", "docs/differences.md"] {
        let text = fs::read_to_string(root().join(document)).expect("document reads");
        // Outside of fenced blocks, whose own backticks would shift the pairs.
        let prose: String = text.split("```").step_by(2).collect();
        for quoted in prose.split('`').skip(1).step_by(2) {
            let path = quoted.trim_end_matches('/');
            let is_path = [
                "src/", "tests/", "benches/", "docs/", "config/", "perf/", ".ci/",
            ]
            .iter()
            .any(|start| quoted.starts_with(start))
                && !quoted.contains([' ', '*', '{', '<']);
            if is_path && !root().join(path).exists() {
                wrong.push(format!("{document}: `{quoted}` does not exist"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
