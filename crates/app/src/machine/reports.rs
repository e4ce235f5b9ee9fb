//! What the helper says, for the window.

use towline_core::report::Code;
use towline_core::text::sentence;
use towline_helper::client::HelperError;

use crate::report::failure;
use crate::view::Report;

/// Why the helper is not had, or did not do something.
pub(crate) fn of_helper(error: &HelperError) -> Report {
    let (code, message, hint) = match error {
        HelperError::NotGranted { .. } => (
            Code::NotGranted,
            "Administrator rights were not granted, so nothing was changed.".to_owned(),
            "Ask again, or use the mode that needs none.".to_owned(),
        ),
        HelperError::NoPrompt { detail } => (
            Code::NotGranted,
            format!("Nothing on this machine can ask you for administrator rights ({detail}), so nothing was changed."),
            "Install and start a polkit agent, which desktops have; or use the mode that needs no rights.".to_owned(),
        ),
        error => {
            let hint = error.hint().unwrap_or("Use the mode that needs no administrator rights.");
            (Code::Helper, sentence(&error.to_string()), in_the_window(hint))
        }
    };
    Report { detail: error.detail().map(str::to_owned), ..failure(code, message, Some(&hint)) }
}

/// A hint of the core's is for the command line too.
fn in_the_window(hint: &str) -> String {
    let hint = hint.replace(" (--no-admin)", "").replace(
        "connect without administrator rights",
        "use the mode without administrator rights",
    );
    sentence(&hint)
}
