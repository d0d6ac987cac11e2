//! The RED table, redrawn in place on a terminal, printed now and then elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use super::red::Row;

/// Between two tables where nothing can be redrawn.
const PRINT_PERIOD: Duration = Duration::from_secs(5);
/// A terminal has more lines than this; a longer table could not be redrawn.
const ROWS_MAX: usize = 18;

/// Where tables go.
pub(super) struct Screen {
    is_terminal: bool,
    /// Lines of the table that stands there now.
    lines_drawn: usize,
    printed: Option<Instant>,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self {
            is_terminal: io::stdout().is_terminal(),
            lines_drawn: 0,
            printed: None,
        }
    }

    /// Shows the table with a line about the run below it.
    pub(super) fn show(&mut self, rows: &[Row], status: &str) -> io::Result<()> {
        if !self.is_terminal {
            let is_early = self.printed.is_some_and(|at| at.elapsed() < PRINT_PERIOD);
            if is_early {
                return Ok(());
            }
            self.printed = Some(Instant::now());
        }
        let table = render(rows, status);
        let mut out = io::stdout().lock();
        if self.is_terminal && self.lines_drawn > 0 {
            // Up to the table's first line, then clear to the end of the screen.
            write!(out, "\x1b[{}A\x1b[J", self.lines_drawn)?;
        }
        self.lines_drawn = table.lines().count();
        out.write_all(table.as_bytes())?;
        out.flush()
    }
}

fn render(rows: &[Row], status: &str) -> String {
    let mut lines = vec![format!(
        "{:<16} {:<28} {:>10} {:>7} {:>9} {:>9} {:>9}",
        "SERVICE", "ROUTE", "RATE", "ERRORS", "P50", "P95", "P99"
    )];
    for row in rows.iter().take(ROWS_MAX) {
        let [p50, p95, p99] = row.quantiles_ms.map(duration);
        lines.push(format!(
            "{:<16} {:<28} {:>8.1}/s {:>6.1}% {p50:>9} {p95:>9} {p99:>9}",
            cut(&row.service, 16),
            cut(&row.route, 28),
            row.rate,
            row.error_share * 100.0
        ));
    }
    if rows.len() > ROWS_MAX {
        lines.push(format!("... and {} more", rows.len() - ROWS_MAX));
    }
    lines.push(status.to_owned());
    lines.join("\n") + "\n"
}

fn duration(ms: f64) -> String {
    if ms.is_nan() {
        "-".to_owned()
    } else if ms < 10.0 {
        format!("{ms:.2} ms")
    } else if ms < 1_000.0 {
        format!("{ms:.0} ms")
    } else {
        format!("{:.2} s", ms / 1e3)
    }
}

fn cut(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_has_a_line_for_each_row_and_the_status_last() {
        let row = |route: &str, ms: f64| Row {
            service: "checkout".to_owned(),
            route: route.to_owned(),
            rate: 12.34,
            error_share: 0.025,
            quantiles_ms: [ms, ms * 10.0, f64::NAN],
        };
        let table = render(&[row("/api/cart", 7.0), row("/a", 150.0)], "3 s");
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 4);
        let words: Vec<&str> = lines[1].split_whitespace().collect();
        assert_eq!(
            words,
            [
                "checkout",
                "/api/cart",
                "12.3/s",
                "2.5%",
                "7.00",
                "ms",
                "70",
                "ms",
                "-"
            ]
        );
        assert!(lines[2].contains("150 ms") && lines[2].contains("1.50 s"));
        assert_eq!(lines[3], "3 s");
        assert_eq!(lines[0].len(), lines[1].len());
    }

    #[test]
    fn long_table_is_cut() {
        let row = Row {
            service: "s".to_owned(),
            route: "r".to_owned(),
            rate: 0.0,
            error_share: 0.0,
            quantiles_ms: [f64::NAN; 3],
        };
        let table = render(&vec![row; 40], "");
        assert!(table.contains("... and 22 more"));
        assert!(table.lines().count() < 22);
    }
}
