//! One structured line per event that matters, in the Collector's console or JSON form.
//!
//! `TIME<TAB>level<TAB>message<TAB>{"field": "value"}` on standard error. Never called per row; a
//! caller that could log per request counts instead and logs once.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{Local, SecondsFormat};
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Console,
    Json,
}

/// Fields of a line, in order.
pub type Fields<'a> = &'a [(&'a str, Value)];

/// Where our own lines go. Cheap to clone.
#[derive(Clone)]
pub struct Logger {
    sink: Arc<Mutex<Box<dyn Write + Send>>>,
    level: Level,
    encoding: Encoding,
}

impl Logger {
    #[must_use]
    pub fn new(sink: Box<dyn Write + Send>, level: Level, encoding: Encoding) -> Self {
        Self {
            sink: Arc::new(Mutex::new(sink)),
            level,
            encoding,
        }
    }

    pub fn info(&self, message: &str, fields: Fields) {
        self.line(Level::Info, message, fields);
    }

    pub fn warn(&self, message: &str, fields: Fields) {
        self.line(Level::Warn, message, fields);
    }

    pub fn error(&self, message: &str, fields: Fields) {
        self.line(Level::Error, message, fields);
    }

    pub fn line(&self, level: Level, message: &str, fields: Fields) {
        if level < self.level {
            return;
        }
        let time = Local::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let line = match self.encoding {
            Encoding::Console => console(&time, level, message, fields),
            Encoding::Json => json(&time, level, message, fields),
        };
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        // A log that cannot be written has nowhere to be reported.
        let _ = sink.write_all(line.as_bytes());
    }
}

/// An error and what caused it, in one line.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

fn console(time: &str, level: Level, message: &str, fields: Fields) -> String {
    let mut line = format!("{time}\t{}\t{message}", word(level));
    for (index, (name, value)) in fields.iter().enumerate() {
        line.push_str(if index == 0 { "\t{" } else { ", " });
        let _ = write!(line, "{}: {value}", Value::from(*name));
    }
    line.push_str(if fields.is_empty() { "\n" } else { "}\n" });
    line
}

fn json(time: &str, level: Level, message: &str, fields: Fields) -> String {
    let mut line = format!(
        "{{\"level\":\"{}\",\"ts\":{},\"msg\":{}",
        word(level),
        Value::from(time),
        Value::from(message)
    );
    for (name, value) in fields {
        let _ = write!(line, ",{}:{value}", Value::from(*name));
    }
    line.push_str("}\n");
    line
}
