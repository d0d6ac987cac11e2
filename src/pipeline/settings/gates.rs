//! `--feature-gates=a,-b`: which parts behave differently.

use crate::config::{Code, Diagnostic, Log, Span, nearest};

use super::Gates;

/// A switch with a name.
struct Gate {
    id: &'static str,
    is_on: bool,
    /// Cannot be turned off any more.
    is_stable: bool,
    /// It does here what it does in the Collector, or it is ours.
    acts: bool,
}

/// As the Collector behaves, where spanmill differs on purpose and says that it can be undone.
const COMPAT: &str = "spanmill.collectorCompat";

/// Ours, then those of the Collector v0.128.0.
const GATES: &[Gate] = &[
    gate(COMPAT, false, false, true),
    gate("confighttp.framedSnappy", false, false, false),
    gate("confmap.enableMergeAppendOption", false, false, false),
    gate(
        "connector.spanmetrics.legacyMetricNames",
        false,
        false,
        true,
    ),
    gate(
        "exporter.prometheusremotewriteexporter.deprecateCreatedMetric",
        true,
        true,
        false,
    ),
    gate(
        "exporter.prometheusremotewritexporter.EnableMultipleWorkers",
        false,
        false,
        false,
    ),
    gate(
        "exporter.prometheusremotewritexporter.RetryOn429",
        false,
        false,
        false,
    ),
    gate(
        "exporter.prometheusremotewritexporter.enableSendingRW2",
        false,
        false,
        false,
    ),
    gate("filter.filterlog.useOTTLBridge", false, false, false),
    gate("filter.filtermetric.useOTTLBridge", false, false, false),
    gate("filter.filterspan.useOTTLBridge", false, false, false),
    gate("otelcol.printInitialConfig", false, false, false),
    gate(
        "pkg.translator.prometheus.NormalizeName",
        true,
        false,
        false,
    ),
    gate(
        "pkg.translator.prometheus.PermissiveLabelSanitization",
        false,
        false,
        false,
    ),
    gate("service.AllowNoPipelines", false, false, false),
    gate("service.noopTracerProvider", false, false, false),
    gate("service.profilesSupport", false, false, false),
    gate(
        "telemetry.UseLocalHostAsDefaultMetricsAddress",
        true,
        false,
        false,
    ),
    gate(
        "telemetry.disableAddressFieldForInternalTelemetry",
        true,
        true,
        false,
    ),
    gate(
        "telemetry.disableHighCardinalityMetrics",
        false,
        false,
        false,
    ),
    gate("telemetry.newPipelineTelemetry", false, false, false),
];

const fn gate(id: &'static str, is_on: bool, is_stable: bool, acts: bool) -> Gate {
    Gate {
        id,
        is_on,
        is_stable,
        acts,
    }
}

/// The ids of the gates that are on after the list was read. Mistakes go to the log, located in it.
pub(super) fn parse(list: &str, log: &Log) -> Vec<&'static str> {
    let mut is_on: Vec<bool> = GATES.iter().map(|gate| gate.is_on).collect();
    let mut start = 0;
    for item in list.split(',') {
        let trimmed = item.trim();
        let (id, wanted) = match trimmed.strip_prefix('-') {
            Some(id) => (id, false),
            None => (trimmed.strip_prefix('+').unwrap_or(trimmed), true),
        };
        let id_start = start + item.find(id).unwrap_or(0);
        let span = Span {
            start: id_start as u32,
            end: (id_start + id.len()) as u32,
        };
        start += item.len() + 1;
        if id.is_empty() {
            continue;
        }
        match GATES.iter().position(|gate| gate.id == id) {
            None => refuse_unknown(id, span, log),
            Some(index) => {
                is_on[index] = wanted;
                check(&GATES[index], wanted, span, log);
            }
        }
    }
    GATES
        .iter()
        .zip(is_on)
        .filter_map(|(gate, is_on)| is_on.then_some(gate.id))
        .collect()
}

/// The gates that the graph asks for.
pub(super) fn settle(gates_on: &[&str]) -> Gates {
    Gates {
        collector_compat: gates_on.contains(&COMPAT),
    }
}

fn refuse_unknown(id: &str, span: Span, log: &Log) {
    let ids = || GATES.iter().map(|gate| gate.id);
    let diagnostic = Diagnostic::error(
        Code::UnknownGate,
        span,
        format!("`{id}` is no feature gate"),
    );
    let diagnostic = match nearest(id, ids()) {
        Some(known) => diagnostic.label(format!("did you mean `{known}`?")),
        None => diagnostic,
    };
    let list = ids().collect::<Vec<_>>().join(", ");
    log.push(diagnostic.help(format!("the gates are {list}")));
}

fn check(gate: &Gate, wanted: bool, span: Span, log: &Log) {
    if gate.is_stable && !wanted {
        log.push(
            Diagnostic::error(
                Code::UnknownGate,
                span,
                format!("the gate `{}` cannot be turned off any more", gate.id),
            )
            .label("leave it out"),
        );
    } else if wanted != gate.is_on && !gate.acts {
        log.push(Diagnostic::warning(
            Code::NotYet,
            span,
            format!("the gate `{}` is understood but does not act yet", gate.id),
        ));
    }
}
