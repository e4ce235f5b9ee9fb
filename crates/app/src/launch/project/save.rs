//! The form as a project file.

use std::path::Path;

use towline_core::report::Code;
use towline_core::request::{Names, Request, Volumes};
use towline_project::{Form, Program, Project};

use super::of;
use crate::launch::request;
use crate::program::Command;
use crate::report::failure;
use crate::view::{LaunchRequest, Report};

/// Writes the form as a `towline.yaml`; what the form has no field for is taken from the file that it was filled from.
///
/// # Errors
/// When the form makes no sense, the file has the name of Bridge's, or it cannot be written.
pub(crate) fn save(form: &LaunchRequest, file: &Path) -> Result<(), Report> {
    if Form::of(file) == Form::Bridge {
        let message = format!("{} is the name of Bridge to Kubernetes' own file.", file.display());
        return Err(failure(Code::Input, message, Some("Name it towline.yaml.")));
    }
    let project = project(form, file)?;
    std::fs::write(file, project.to_yaml()).map_err(|error| {
        let message = format!("The project file cannot be written to {}: {error}.", file.display());
        failure(Code::Input, message, Some("Choose a directory that is yours."))
    })
}

fn project(form: &LaunchRequest, file: &Path) -> Result<Project, Report> {
    let known = of(form)?.unwrap_or_default();
    let request = request::parse(form, seconds(&known), Some(&known))?;
    let command = Command::parse(&form.program)?;
    let said = |differs: bool| differs.then_some(());
    Ok(Project {
        file: file.to_owned(),
        form: Form::Towline,
        target: Some(request.target),
        namespace: request.namespace,
        context: Some(form.context.clone()).filter(|context| !context.is_empty()),
        container: request.container,
        ports: request.ports,
        namespaces: request.namespaces,
        external_hosts: request.external_hosts,
        exclude: request.exclude,
        names: Some(request.names).filter(|names| *names != Names::OwnHostsFile),
        volumes: said(known.volumes.is_some() || request.volumes != Volumes::default())
            .map(|()| request.volumes),
        program: command.map(|command| Program {
            command: command.words().to_vec(),
            working_directory: command.directory().map(Path::to_owned),
        }),
        reconnect: said(known.reconnect.is_some() || request.reconnect).map(|()| request.reconnect),
        lease: said(form.lease_seconds.is_some()).map(|()| request.lease),
        agent_image: request.agent_image,
        pull_secret: request.pull_secret,
        ..known
    })
}

/// The lease that the file says, else the usual one: it is written only where the form says one.
fn seconds(known: &Project) -> u32 {
    let lease = known.lease.unwrap_or(Request::LEASE);
    u32::try_from(lease.as_secs()).unwrap_or(u32::MAX)
}
