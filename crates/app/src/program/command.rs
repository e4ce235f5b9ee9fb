//! What is started: the words of a command line, and where.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use towline_core::program::{self, ProgramError};
use towline_core::report::Code;
use towline_core::text::sentence;

use crate::report::{explained, failure};
use crate::view::{ProgramSpec, Report};

/// A command that can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    words: Vec<String>,
    /// `None`: the user's home.
    directory: Option<PathBuf>,
}

/// A command cannot be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The working directory is not there.
    #[error("The working directory {} is not there", .0.display())]
    NoDirectory(PathBuf),
    /// There is no such command.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

impl CommandError {
    pub(crate) fn report(&self) -> Report {
        match self {
            Self::NoDirectory(_) => {
                failure(Code::Program, format!("{self}."), Some("Choose another one."))
            }
            Self::Program(error) => {
                let mut report = explained(error);
                report.message = sentence(&error.to_string());
                report.hint = Some(match error {
                    ProgramError::NotFound(_) => "Check its name and your PATH, or write its whole path.".to_owned(),
                    ProgramError::NotExecutable { .. } => {
                        "Make it executable, or name its interpreter first, such as python3 orders.py.".to_owned()
                    }
                });
                report
            }
        }
    }
}

impl Command {
    /// Takes a form's program apart; `None`: the user starts it.
    pub(crate) fn parse(spec: &ProgramSpec) -> Result<Option<Self>, Report> {
        let ProgramSpec::Command { line, directory } = spec else { return Ok(None) };
        let words = shell_words::split(line).map_err(|_| {
            let message = format!("The command {line} has a quote that is not closed.");
            failure(Code::Input, message, Some("Close it, or put a backslash before it."))
        })?;
        if words.first().is_none_or(String::is_empty) {
            let hint = Some("Such as python3 orders.py; or choose to start your program yourself.");
            return Err(failure(Code::Input, "There is no command to start.", hint));
        }
        if words.iter().any(|word| word.contains('\0')) {
            return Err(failure(Code::Input, "The command contains a zero byte.", None));
        }
        let directory = directory.as_deref().map(str::trim).filter(|text| !text.is_empty());
        Ok(Some(Self { words, directory: directory.map(below_home) }))
    }

    /// The command and its arguments.
    pub(crate) fn words(&self) -> &[String] {
        &self.words
    }

    /// The working directory, where one was chosen.
    pub(crate) fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// The working directory.
    pub(super) fn place(&self) -> PathBuf {
        let chosen = self.directory.clone();
        chosen.or_else(std::env::home_dir).unwrap_or_else(|| PathBuf::from("/"))
    }

    /// The file that it starts, looked for in `path` or else in this process's `PATH`.
    pub(crate) fn find(&self, path: Option<&OsStr>) -> Result<PathBuf, CommandError> {
        let place = self.place();
        if !place.is_dir() {
            return Err(CommandError::NoDirectory(place));
        }
        let own = || std::env::var_os("PATH").unwrap_or_default();
        let path = path.map_or_else(own, OsString::from);
        Ok(program::find(OsStr::new(&self.words[0]), &path, &place)?)
    }

    /// As it can be typed.
    pub(crate) fn line(&self) -> String {
        shell_words::join(&self.words)
    }
}

/// A path as people write it: `~` is the user's home.
pub(crate) fn below_home(text: &str) -> PathBuf {
    let home = std::env::home_dir();
    match (text.strip_prefix('~'), home) {
        (Some(""), Some(home)) => home,
        (Some(rest), Some(home)) if rest.starts_with('/') => {
            home.join(rest.trim_start_matches('/'))
        }
        _ => PathBuf::from(text),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<Command>, Report> {
        Command::parse(&ProgramSpec::Command { line: line.into(), directory: None })
    }

    #[test]
    fn words_are_split_as_by_a_shell() {
        let command = parse(r#"python3 "my app.py" --name 'it'\''s' $HOME"#).unwrap().unwrap();
        assert_eq!(command.words(), ["python3", "my app.py", "--name", "it's", "$HOME"]);
        assert_eq!(shell_words::split(&command.line()).unwrap(), command.words());
        assert_eq!(Command::parse(&ProgramSpec::ByUser).unwrap(), None);
        for bad in ["", "  ", "''", "python3 'x"] {
            assert_eq!(parse(bad).unwrap_err().code, "input", "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_started_is_told_before() {
        let missing = parse("towline-has-no-such-command").unwrap().unwrap();
        let report = missing.find(None).unwrap_err().report();
        assert_eq!(report.code, "program");
        assert_eq!(
            report.message,
            "Cannot start towline-has-no-such-command: there is no such command."
        );
        let elsewhere =
            ProgramSpec::Command { line: "sh".into(), directory: Some("/no/such".into()) };
        let elsewhere = Command::parse(&elsewhere).unwrap().unwrap();
        let report = elsewhere.find(None).unwrap_err().report();
        assert_eq!(report.message, "The working directory /no/such is not there.");
        assert!(parse("sh").unwrap().unwrap().find(None).unwrap().ends_with("sh"));
        let command = parse("sh").unwrap().unwrap();
        assert!(command.find(Some(OsStr::new("/no/such"))).is_err());
    }
}
