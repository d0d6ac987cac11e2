//! `extensions.zpages`: pages that describe the running program.
//!
//! A plain description in, small HTML pages out. The description is made when the pipeline is built
//! and does not change; nothing is counted or sampled here.

use std::fmt::Write as _;
use std::sync::Arc;

use http::StatusCode;

use crate::workers::web::{self, Answer, Handler, not_found};

pub mod options;

/// The running program, as the pages show it.
#[derive(Clone, Debug, Default)]
pub struct Description {
    pub command: String,
    pub description: String,
    pub version: String,
    /// As the page shows it.
    pub started: String,
    pub pipelines: Vec<PipelineDescription>,
    /// Ids.
    pub extensions: Vec<String>,
}

/// One pipeline. Connectors stand among receivers and exporters as `NAME (connector)`.
#[derive(Clone, Debug, Default)]
pub struct PipelineDescription {
    pub id: String,
    pub input: String,
    pub mutates_data: bool,
    pub receivers: Vec<String>,
    /// In order.
    pub processors: Vec<String>,
    pub exporters: Vec<String>,
}

/// Answers the pages, any method alike; everything else is 404.
#[must_use]
pub fn handler(description: Description) -> Handler {
    let mut description = description;
    description.pipelines.sort_by(|a, b| a.id.cmp(&b.id));
    description.extensions.sort();
    let description = Arc::new(description);
    Arc::new(move |request, _| {
        let page = match request.uri().path() {
            "/debug/servicez" => Some(service_page(&description)),
            "/debug/pipelinez" => Some(pipelines_page(&description)),
            "/debug/extensionz" => Some(extensions_page(&description)),
            _ => None,
        };
        Box::pin(async move {
            Answer::new(page.map_or_else(not_found, |text| {
                web::page(StatusCode::OK, "text/html; charset=utf-8", text)
            }))
        })
    })
}

fn service_page(description: &Description) -> String {
    let title = format!("Service {}", description.command);
    let build = table(
        &[],
        &[
            vec!["Command".to_owned(), escaped(&description.command)],
            vec!["Description".to_owned(), escaped(&description.description)],
            vec!["Version".to_owned(), escaped(&description.version)],
        ],
    );
    let runtime = table(
        &[],
        &[
            vec!["StartTimestamp".to_owned(), escaped(&description.started)],
            vec!["OS".to_owned(), std::env::consts::OS.to_owned()],
            vec!["Arch".to_owned(), std::env::consts::ARCH.to_owned()],
        ],
    );
    let links = [("Pipelines", "pipelinez"), ("Extensions", "extensionz")]
        .map(|(text, page)| format!("<h6><a href=\"{page}\">{text}</a></h6>\n"))
        .concat();
    framed(
        &title,
        &format!("<b>Build Info:</b>\n{build}<b>Runtime Info:</b>\n{runtime}{links}"),
    )
}

fn pipelines_page(description: &Description) -> String {
    let rows: Vec<Vec<String>> = description
        .pipelines
        .iter()
        .map(|pipeline| {
            let mut processors = String::from("&rarr;");
            for processor in &pipeline.processors {
                let _ = write!(processors, " {} &rarr;", escaped(processor));
            }
            vec![
                escaped(&pipeline.id),
                escaped(&pipeline.input),
                pipeline.mutates_data.to_string(),
                listed(&pipeline.receivers),
                processors,
                listed(&pipeline.exporters),
            ]
        })
        .collect();
    let head = [
        "FullName",
        "InputType",
        "MutatesData",
        "Receivers",
        "Processors",
        "Exporters",
    ];
    framed("builtPipelines", &table(&head, &rows))
}

fn extensions_page(description: &Description) -> String {
    let rows: Vec<Vec<String>> = description
        .extensions
        .iter()
        .map(|extension| vec![escaped(extension)])
        .collect();
    framed("Extensions", &table(&[], &rows))
}

fn listed(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| escaped(name)).collect();
    names.join("<br>")
}

/// Cells are HTML already. Every even row is grey.
fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = String::from("<table style=\"border-spacing: 0\">\n");
    let divider = "</td><td>&nbsp;|&nbsp;</td><td>";
    if !head.is_empty() {
        let _ = writeln!(text, "<tr><td><b>{}</b></td></tr>", head.join(divider));
    }
    for (index, row) in rows.iter().enumerate() {
        let style = if index % 2 == 0 {
            " style=\"background: #eee\""
        } else {
            ""
        };
        let _ = writeln!(text, "<tr{style}><td>{}</td></tr>", row.join(divider));
    }
    text.push_str("</table>\n");
    text
}

fn framed(title: &str, content: &str) -> String {
    let title = escaped(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <title>{title}</title>\n</head>\n<body>\n<h2>{title}</h2>\n{content}</body>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&#34;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use http::{Request, StatusCode};
    use http_body_util::BodyExt;

    use super::{Description, PipelineDescription, handler};

    fn fetch(path: &str) -> (StatusCode, String) {
        let handler = handler(Description {
            command: "spanmill".to_owned(),
            extensions: vec!["zpages/<b>".to_owned()],
            pipelines: vec![PipelineDescription {
                id: "traces".to_owned(),
                input: "traces".to_owned(),
                processors: vec!["resource".to_owned(), "batch".to_owned()],
                exporters: vec!["spanmetrics (connector)".to_owned()],
                ..PipelineDescription::default()
            }],
            ..Description::default()
        });
        let request = Request::post(path).body(()).expect("a request");
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let response = handler(request, peer).await.response;
            let status = response.status();
            let body = response.into_body().collect().await.expect("a body");
            let text = String::from_utf8(body.to_bytes().to_vec());
            (status, text.expect("text"))
        })
    }

    #[test]
    fn pages_show_the_description_and_escape_it() {
        let (status, text) = fetch("/debug/pipelinez");
        assert_eq!(status, StatusCode::OK);
        assert!(text.contains("&rarr; resource &rarr; batch &rarr;"));
        assert!(text.contains("spanmetrics (connector)"));
        assert!(fetch("/debug/extensionz").1.contains("zpages/&lt;b&gt;"));
        assert!(
            fetch("/debug/servicez")
                .1
                .contains("<title>Service spanmill</title>")
        );
    }

    #[test]
    fn other_paths_are_not_found() {
        for path in ["/", "/debug/", "/debug/tracez"] {
            assert_eq!(
                fetch(path),
                (StatusCode::NOT_FOUND, "404 page not found\n".to_owned())
            );
        }
    }
}
