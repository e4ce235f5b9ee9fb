//! How a command ends that did not succeed: what is printed, and the exit status.

use serde::Serialize;
use towline_core::report::{Code, Explain, Report};

use crate::arguments::Format;
use crate::output;

/// A command's failure, ready to be told.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) report: Report,
    /// The exit status, where it is not the code's own.
    status: Option<u8>,
    told: Told,
}

/// Where the user has seen it already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nowhere,
    /// Programs have it among the events; people have not.
    InEvents,
    /// People have it in the result. Programs get it on standard error, because standard output holds one document already.
    InResult,
}

impl Failure {
    /// A failure that is not an error of the core.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self::of(Report { code, message: message.into(), hint: None, detail: None })
    }

    /// What the core reports.
    pub(crate) fn of(report: Report) -> Self {
        Self { report, status: None, told: Told::Nowhere }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.report.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.report.detail = Some(detail.into());
        self
    }

    pub(crate) fn with_status(mut self, status: u8) -> Self {
        self.status = Some(status);
        self
    }

    pub(crate) fn status(&self) -> u8 {
        self.status.unwrap_or_else(|| self.report.code.exit_status())
    }

    /// The same failure, which the result shows too.
    pub(crate) fn in_result(mut self) -> Self {
        self.told = Told::InResult;
        self
    }

    /// The same failure, which is among the events too.
    pub(crate) fn in_events(mut self) -> Self {
        self.told = Told::InEvents;
        self
    }

    /// As programs read it.
    pub(crate) fn as_object(&self) -> impl Serialize {
        #[derive(Serialize)]
        struct Object {
            error: Report,
        }
        Object { error: self.report.clone() }
    }

    /// Tells it: as text on standard error, in form JSON also as an object on standard output.
    pub(crate) fn tell(&self, format: Format, verbose: u8) {
        match (format, self.told) {
            (Format::Json, Told::Nowhere) => output::json_line(&self.as_object()),
            (Format::Json, Told::InResult) => return output::complain_json(&self.as_object()),
            (Format::Text, Told::InResult) => return,
            (Format::Json, Told::InEvents) | (Format::Text, Told::Nowhere | Told::InEvents) => {}
        }
        output::complain(&text(&self.report, verbose > 0));
    }
}

impl<E: Explain> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::of(error.explain())
    }
}

/// A report as people read it.
pub(crate) fn text(report: &Report, with_detail: bool) -> String {
    let error = console::style("error:").for_stderr().red().bold();
    let mut text = format!("{error} {}", indented(&report.message, "       "));
    if let Some(hint) = &report.hint {
        let label = console::style("hint:").for_stderr().cyan().bold();
        text += &format!("\n{label}  {}", indented(hint, "       "));
    }
    match &report.detail {
        Some(detail) if with_detail => text += &format!("\n    {}", indented(detail, "    ")),
        Some(_) => {
            text +=
                &console::style("\n       (-v shows the details)").for_stderr().dim().to_string()
        }
        None => {}
    }
    text
}

fn indented(text: &str, by: &str) -> String {
    text.trim_end().lines().collect::<Vec<_>>().join(&format!("\n{by}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_its_place() {
        let report = Report {
            code: Code::ContextUnknown,
            message: "there is no context 'prod'".into(),
            hint: Some("known are: dev, stage\nsee `towline contexts`".into()),
            detail: Some("first\nsecond".into()),
        };
        insta::assert_snapshot!(text(&report, true));
        assert!(!text(&report, false).contains("second"));
        assert_eq!(Failure::of(report.clone()).status(), 2);
        assert_eq!(Failure::of(report).with_status(127).status(), 127);
    }
}
