//! `--mount` where there are no mount namespaces.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use towline_core::report::Code;
use towline_core::volumes::{PlannedVolume, Volume};

use crate::failure::Failure;

/// This process was not started to become the program: there is no such way.
pub(crate) fn asked() -> Option<ExitCode> {
    None
}

/// Says that it is not possible.
pub(crate) fn check() -> Result<(), Failure> {
    let message = "--mount is only possible on Linux";
    Err(Failure::new(Code::Input, message).with_hint("the files are below TOWLINE_ROOT"))
}

/// The command as it is; [`check`] comes before.
pub(crate) fn wrap(
    command: &[OsString],
    _stage: &Path,
    _volumes: &[Volume],
    _hosts: Option<&Path>,
) -> Vec<OsString> {
    command.to_vec()
}

/// Nothing; [`check`] comes before.
pub(crate) fn foretell(_volumes: &[PlannedVolume]) -> String {
    String::new()
}
