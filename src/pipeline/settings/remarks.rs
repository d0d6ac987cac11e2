//! What runs in the file's pipelines and does nothing yet.

use crate::config::{Code, Diagnostic, Log};
use crate::pipeline::components::Kind;
use crate::workers::Signal;

use super::references::word;
use super::sections::Declared;
use super::service::Written;

/// Remarks on each component that is used without acting and each pipeline whose requests are
/// refused.
pub(super) fn add(service: &Written, declared: &[Declared], log: &Log) {
    for declared in declared {
        let is_used = service
            .references()
            .any(|reference| reference.id == declared.id);
        if let Some((component, _)) = &declared.component
            && is_used
            && !component.acts
        {
            let message = format!(
                "`{}.{}` is understood but does not act yet",
                declared.kind.section(),
                declared.id
            );
            log.push(Diagnostic::warning(Code::NotYet, declared.span, message));
        }
    }
    let mut remarked = Vec::new();
    for pipeline in &service.pipelines {
        let Some(signal) = pipeline.signal.filter(|signal| *signal != Signal::Traces) else {
            continue;
        };
        let from_receiver = pipeline.receivers.iter().find(|reference| {
            declared
                .iter()
                .any(|other| other.kind == Kind::Receiver && other.id == reference.id)
        });
        if let Some(reference) = from_receiver
            && !remarked.contains(&(signal, &reference.id))
        {
            remarked.push((signal, &reference.id));
            let message = format!(
                "{} from the receiver `{}` are understood but do not act yet",
                word(signal),
                reference.id
            );
            log.push(
                Diagnostic::warning(Code::NotYet, reference.span, message)
                    .label("requests with them are refused"),
            );
        }
    }
}
