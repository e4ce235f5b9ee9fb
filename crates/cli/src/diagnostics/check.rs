//! One thing that was looked at.

use serde::Serialize;
use towline_core::report::Explain;

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    pub(super) title: String,
    pub(super) tone: Tone,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fix: Option<String>,
    /// Of which context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tone {
    Good,
    Neutral,
    Warning,
    Bad,
}

impl Check {
    pub(super) fn new(
        title: &str,
        tone: Tone,
        message: impl Into<String>,
        fix: Option<String>,
    ) -> Self {
        Self { title: title.to_owned(), tone, message: message.into(), fix, context: None }
    }

    pub(super) fn good(title: &str, message: impl Into<String>) -> Self {
        Self::new(title, Tone::Good, message, None)
    }

    pub(super) fn neutral(title: &str, message: impl Into<String>) -> Self {
        Self::new(title, Tone::Neutral, message, None)
    }

    pub(super) fn warning(title: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(title, Tone::Warning, message, Some(fix.into()))
    }

    pub(super) fn bad(title: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(title, Tone::Bad, message, Some(fix.into()))
    }
}

/// An error as one check.
pub(super) fn explained(title: &str, error: &impl Explain) -> Check {
    let report = error.explain();
    Check::new(title, Tone::Bad, report.message, report.hint)
}
