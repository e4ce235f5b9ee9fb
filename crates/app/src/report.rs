//! Errors on their way to the window.

use towline_core::report::{Code, Explain, Report as CoreReport};

use crate::view::Report;

impl From<CoreReport> for Report {
    fn from(report: CoreReport) -> Self {
        Self {
            code: name(report.code),
            message: report.message,
            hint: report.hint,
            detail: report.detail,
        }
    }
}

/// What an error of the core means to the user.
pub fn explained(error: &impl Explain) -> Report {
    error.explain().into()
}

/// An error of this crate's own: what was being done, to what, why it failed; what to do next.
pub(crate) fn failure(code: Code, message: impl Into<String>, hint: Option<&str>) -> Report {
    Report {
        code: name(code),
        message: message.into(),
        hint: hint.map(str::to_owned),
        detail: None,
    }
}

/// The code as the window knows it: the core's, in snake case.
pub(crate) fn name(code: Code) -> String {
    let value = serde_json::to_value(code).ok();
    value
        .and_then(|value| Some(value.as_str()?.to_owned()))
        .unwrap_or_else(|| "internal".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_snake_case() {
        assert_eq!(name(Code::LocalPortTaken), "local_port_taken");
        assert_eq!(failure(Code::Input, "a", Some("b")).hint.as_deref(), Some("b"));
    }
}
