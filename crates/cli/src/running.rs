//! Which of this user's running sessions is meant.

use towline_core::journal::{Entry, Journal};
use towline_core::names::{SessionNames, running};
use towline_core::report::{Code, Report};

use crate::failure::Failure;

/// The session that `wanted` names, or the only one.
pub(crate) fn session(wanted: Option<&str>) -> Result<(Entry, Option<SessionNames>), Failure> {
    let all = running(&Journal::of_user()).map_err(|error| {
        Failure::of(Report {
            code: Code::Input,
            message: format!("{error}."),
            hint: None,
            detail: None,
        })
    })?;
    let none = all.is_empty();
    let mut meant: Vec<_> = all
        .into_iter()
        .filter(|(entry, _)| wanted.is_none_or(|wanted| is_meant(entry, wanted)))
        .collect();
    if meant.len() > 1 {
        let lines: Vec<String> = meant
            .iter()
            .map(|(entry, _)| format!("{}  {}", entry.session, entry.workload))
            .collect();
        let message = format!("several sessions of yours run here:\n{}", lines.join("\n"));
        let example = meant.first().map(|(entry, _)| entry.session.to_string()).unwrap_or_default();
        return Err(
            Failure::new(Code::Input, message).with_hint(format!("say which, such as {example}"))
        );
    }
    meant.pop().ok_or_else(|| match wanted {
        Some(wanted) if !none => {
            Failure::new(Code::Input, format!("no session of yours that runs here is '{wanted}'"))
                .with_hint("without a name the only one is taken, or all are listed")
        }
        _ => Failure::new(Code::Input, "no session of yours runs on this machine")
            .with_hint("begin one with `towline connect`, or in the window"),
    })
}

fn is_meant(entry: &Entry, wanted: &str) -> bool {
    let workload = &entry.workload;
    entry.session.as_str().starts_with(wanted)
        || workload.name == wanted
        || format!("{}/{}", workload.kind, workload.name) == wanted
}
