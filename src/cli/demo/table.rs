//! The RED table, redrawn in place on a terminal, printed now and then elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use rustix::termios::tcgetwinsize;

use super::red::Row;

/// Between two tables where nothing can be redrawn.
const PRINT_PERIOD: Duration = Duration::from_secs(5);
/// Rows of a table, at most.
const ROWS_MAX: usize = 18;
/// What is drawn on where the terminal does not tell its size.
const SIZE_DEFAULT: Size = Size {
    columns: 80,
    lines: 24,
};

/// Columns of the numbers, each with the blank in front of it.
const RATE_COLUMNS: usize = 10;
const ERRORS_COLUMNS: usize = 7;
const QUANTILE_COLUMNS: usize = 8;
/// Of a service and of a route, where there is room.
const SERVICE_COLUMNS_MAX: usize = 16;
const ROUTE_COLUMNS_MAX: usize = 32;
/// A route shorter than this says too little: quantiles give way first.
const ROUTE_COLUMNS_MIN: usize = 12;

/// Of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    columns: usize,
    lines: usize,
}

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
        let mut out = io::stdout().lock();
        // A terminal may change its size at any time.
        let size = if self.is_terminal {
            size(&out)
        } else {
            Size {
                columns: usize::MAX,
                lines: usize::MAX,
            }
        };
        let table = render(rows, status, size);
        if self.is_terminal && self.lines_drawn > 0 {
            // Up to the table's first line, then clear to the end of the screen.
            write!(out, "\x1b[{}A\x1b[J", self.lines_drawn)?;
        }
        self.lines_drawn = table.lines().count();
        out.write_all(table.as_bytes())?;
        out.flush()
    }
}

fn size(terminal: &io::StdoutLock) -> Size {
    match tcgetwinsize(terminal) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size {
            columns: usize::from(size.ws_col),
            lines: usize::from(size.ws_row),
        },
        _ => SIZE_DEFAULT,
    }
}

/// Which columns there is room for, and how wide they are.
struct Layout {
    service: usize,
    route: usize,
    /// The last of p50, p95 and p99 stay longest.
    quantiles: usize,
}

impl Layout {
    fn new(columns: usize) -> Self {
        let names = |quantiles: usize| {
            let numbers = RATE_COLUMNS + ERRORS_COLUMNS + quantiles * QUANTILE_COLUMNS;
            columns.saturating_sub(numbers + 1)
        };
        let is_enough = |quantiles: &usize| names(*quantiles) >= 2 * ROUTE_COLUMNS_MIN;
        let quantiles = (0..=3).rev().find(is_enough).unwrap_or_default();
        let service = (names(quantiles).saturating_mul(2) / 5).clamp(1, SERVICE_COLUMNS_MAX);
        let route = names(quantiles).saturating_sub(service);
        Self {
            service,
            route: route.clamp(1, ROUTE_COLUMNS_MAX),
            quantiles,
        }
    }

    fn line(&self, [service, route, rate, errors]: [&str; 4], quantiles: [&str; 3]) -> String {
        let names = format!(
            "{:<service_columns$} {:<route_columns$}",
            cut(service, self.service),
            tail(route, self.route),
            service_columns = self.service,
            route_columns = self.route,
        );
        let numbers = format!("{rate:>RATE_COLUMNS$}{errors:>ERRORS_COLUMNS$}");
        let quantiles = quantiles[3 - self.quantiles..].iter();
        let quantiles: Vec<String> = quantiles
            .map(|quantile| format!("{quantile:>QUANTILE_COLUMNS$}"))
            .collect();
        names + &numbers + &quantiles.concat()
    }
}

/// No line is longer than the terminal is wide and there are fewer than it has, for else it could not
/// be redrawn.
fn render(rows: &[Row], status: &str, size: Size) -> String {
    let layout = Layout::new(size.columns);
    // Besides the heads, what is left out and the status: the cursor's line, and one above the table,
    // since terminals keep a copy of a screen that is cleared whole.
    let rows_max = ROWS_MAX.min(size.lines.saturating_sub(5));
    let heads = ["SERVICE", "ROUTE", "RATE", "ERRORS"];
    let mut lines = vec![layout.line(heads, ["P50", "P95", "P99"])];
    for row in rows.iter().take(rows_max) {
        let rate = format!("{:.1}/s", row.rate);
        let errors = format!("{:.1}%", row.error_share * 100.0);
        let quantiles = row.quantiles_ms.map(duration);
        lines.push(layout.line(
            [&row.service, &row.route, &rate, &errors],
            quantiles.each_ref().map(String::as_str),
        ));
    }
    if rows.len() > rows_max {
        lines.push(format!("... and {} more", rows.len() - rows_max));
    }
    lines.push(status.to_owned());
    lines
        .into_iter()
        .map(|line| cut(&line, size.columns) + "\n")
        .collect()
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

/// What tells routes apart stands at their end.
fn tail(text: &str, chars: usize) -> String {
    const MARK: &str = "..";
    let excess = text.chars().count().saturating_sub(chars);
    if excess == 0 || chars <= MARK.len() {
        return cut(text, chars);
    }
    let kept = text.chars().skip(excess + MARK.len());
    MARK.chars().chain(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Size = Size {
        columns: 100,
        lines: 40,
    };

    fn row(route: &str, ms: f64) -> Row {
        Row {
            service: "checkout".to_owned(),
            route: route.to_owned(),
            rate: 12.34,
            error_share: 0.025,
            quantiles_ms: [ms, ms * 10.0, f64::NAN],
        }
    }

    #[test]
    fn table_has_a_line_for_each_row_and_the_status_last() {
        let table = render(&[row("/api/cart", 7.0), row("/a", 150.0)], "3 s", WIDE);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 4);
        let words = lines[1].split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words, "checkout /api/cart 12.3/s 2.5% 7.00 ms 70 ms -");
        assert!(lines[2].contains("150 ms") && lines[2].contains("1.50 s"));
        assert_eq!(lines[3], "3 s");
        assert_eq!(lines[0].len(), lines[1].len());
    }

    #[test]
    fn every_line_fits_the_terminal() {
        let rows = vec![row("/api/v1/orders/{order_id}/items/{item_id}", 123.0); 40];
        let status = "a line about the run ".repeat(20);
        for columns in 1..130 {
            for lines in 5..40 {
                let table = render(&rows, &status, Size { columns, lines });
                assert!(table.lines().count() + 2 <= lines, "{lines}");
                assert!(table.lines().all(|line| line.len() <= columns), "{columns}");
            }
        }
    }

    #[test]
    fn quantiles_give_way_to_names_on_a_narrow_terminal() {
        let heads = |columns| {
            let table = render(&[row("/a", 1.0)], "", Size { columns, ..WIDE });
            table.lines().next().map(str::to_owned).expect("a line")
        };
        let all = ["SERVICE", "ROUTE", "RATE", "ERRORS", "P50", "P95", "P99"];
        assert_eq!(heads(100).split_whitespace().collect::<Vec<_>>(), all);
        assert_eq!(heads(80).split_whitespace().collect::<Vec<_>>(), all);
        assert!(heads(60).contains("P95") && !heads(60).contains("P50"));
        assert!(heads(52).contains("P99") && !heads(52).contains("P95"));
    }

    #[test]
    fn routes_that_are_too_long_keep_their_end() {
        assert_eq!(tail("/api/cart", 9), "/api/cart");
        assert_eq!(tail("/api/cart/{id}", 9), "..rt/{id}");
        assert_eq!(tail("/api/cart", 2), "/a");
    }

    #[test]
    fn long_table_is_cut() {
        let table = render(&vec![row("r", f64::NAN); 40], "", WIDE);
        assert!(table.contains("... and 22 more"));
        assert!(table.lines().count() < 22);
    }
}
