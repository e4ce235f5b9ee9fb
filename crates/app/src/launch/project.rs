//! Project files: what one gives to the form, and the form as one.

mod fill;
mod save;

use std::path::{Path, PathBuf};

use towline_core::environment::check_env_file;
use towline_core::plan::Plan;
use towline_core::report::Explain;
use towline_core::request::{Program, Request};
use towline_project::{Project, ProjectError, discover};

pub(crate) use self::fill::read;
pub(crate) use self::save::save;
use crate::program::below_home;
use crate::report::{explained, name};
use crate::view::{Check, LaunchRequest, Report, Tone};

/// The file that the form was filled from.
pub(super) fn of(form: &LaunchRequest) -> Result<Option<Project>, Report> {
    form.project.as_deref().map(open).transpose()
}

fn open(file: &str) -> Result<Project, Report> {
    Project::read(&path(file)).map_err(|error| explained(&error))
}

fn path(typed: &str) -> PathBuf {
    below_home(typed.trim())
}

/// The nearest project file in a directory or above it.
///
/// # Errors
/// When that is another user's.
pub(crate) fn find(directory: &str) -> Result<Option<String>, Report> {
    match discover(&path(directory), std::env::home_dir().as_deref()) {
        Ok(found) => Ok(found.map(|file| file.display().to_string())),
        Err(error @ ProjectError::AnothersFile(_)) => {
            let hint = Some("If you trust it, choose it as the project file.".to_owned());
            Err(Report { hint, ..explained(&error) })
        }
        Err(error) => Err(explained(&error)),
    }
}

/// What the plan is told of the file: tokens that lead to nothing, and what will be missing.
pub(super) fn checks(project: &Project, plan: &Plan, request: &Request) -> Vec<Check> {
    let mut checks = match project.check(plan) {
        Ok(warnings) => warnings.into_iter().map(|warning| told("project file", warning)).collect(),
        Err(error) => vec![refused("project file", &error)],
    };
    if let Some(Err(error)) = project.env_file.as_deref().map(check_env_file) {
        checks.push(refused("environment file", &error));
    }
    let taken_back = taken_back(project, request);
    if !taken_back.is_empty() {
        let message = format!(
            "The command line uses the project file, and cannot take back what that says of {}.",
            taken_back.join(", ")
        );
        let fix = Some("Save the form as a project file, and use that.".to_owned());
        checks.push(Check { fix, ..told("command line", message) });
    }
    checks
}

fn told(title: &str, message: String) -> Check {
    Check {
        title: title.to_owned(),
        tone: Tone::Warning,
        message,
        fix: None,
        code: None,
        taken_names: None,
    }
}

fn refused(title: &str, error: &impl Explain) -> Check {
    let report = error.explain();
    Check {
        tone: Tone::Bad,
        fix: report.hint,
        code: Some(name(report.code)),
        ..told(title, report.message)
    }
}

/// What the form says less of than the file. Options can only say more.
fn taken_back(project: &Project, request: &Request) -> Vec<&'static str> {
    let fewer_ports = project.ports.iter().any(|port| {
        port.local.is_some() && request.ports.iter().all(|other| other.remote != port.remote)
    });
    let all = [
        ("the container", project.container.is_some() && request.container.is_none()),
        ("ports", fewer_ports),
        ("namespaces", !project.namespaces.is_empty() && request.namespaces.is_empty()),
        ("external hosts", !project.external_hosts.is_empty() && request.external_hosts.is_empty()),
        ("services left out", !project.exclude.is_empty() && request.exclude.is_empty()),
        ("the program", project.program.is_some() && request.program == Program::StartedByUser),
        ("connecting again", project.reconnect == Some(true) && !request.reconnect),
        ("the agent's image", project.agent_image.is_some() && request.agent_image.is_none()),
        ("the pull secret", project.pull_secret.is_some() && request.pull_secret.is_none()),
    ];
    all.into_iter().filter(|(_, so)| *so).map(|(what, _)| what).collect()
}

/// The directory of a file.
fn directory(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("/"))
}

#[cfg(test)]
mod tests;
