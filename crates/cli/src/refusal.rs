//! A command line that makes no sense.

use std::process::ExitCode;

use clap::error::ErrorKind;
use towline_core::report::Code;

use crate::failure::Failure;
use crate::output;

/// Tells what clap found; also prints what was asked for by `--help` and `--version`.
pub(crate) fn tell(error: &clap::Error) -> ExitCode {
    // Where nobody reads, the exit status still tells.
    drop(error.print());
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if asked {
        return ExitCode::SUCCESS;
    }
    if wants_json(
        std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()),
    ) {
        let text = console::strip_ansi_codes(&error.render().to_string()).into_owned();
        let message =
            text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let failure = Failure::new(Code::Input, message)
            .with_hint("`towline --help` and `towline COMMAND --help` tell what is understood")
            .with_detail(text);
        output::json_line(&failure.as_object());
    }
    ExitCode::from(Code::Input.exit_status())
}

/// Whether form JSON was asked for, as far as that can be told of a command line that cannot be understood.
fn wants_json(arguments: impl Iterator<Item = String>) -> bool {
    let arguments: Vec<String> = arguments.take_while(|argument| argument != "--").collect();
    let joined = ["-ojson", "-o=json", "--output=json"];
    let format =
        |pair: &[String]| ["-o", "--output"].contains(&pair[0].as_str()) && pair[1] == "json";
    arguments.iter().any(|argument| joined.contains(&argument.as_str()))
        || arguments.windows(2).any(format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_noticed() {
        let wants = |line: &str| wants_json(line.split_whitespace().map(str::to_owned));
        for line in [
            "connect -o json x",
            "plan x -ojson",
            "pods --output=json",
            "pods --output json --what",
        ] {
            assert!(wants(line), "{line}");
        }
        for line in ["connect x -- prog -o json", "pods -o text", "pods json", "pods -o"] {
            assert!(!wants(line), "{line}");
        }
    }
}
