//! What a file gives to the form.

use std::path::{Path, PathBuf};

use towline_core::request::{Names, PortMapping, Volumes};
use towline_project::Project;

use super::{directory, open};
use crate::view::{
    ExternalHost, Files, LaunchRequest, Mode, PortMapping as Mapping, ProgramSpec, ProjectFile,
    ProjectVariable, Report,
};

/// Reads a file, and puts what it says into `form`. `kubeconfigs` are the files whose contexts the window knows.
///
/// # Errors
/// When the file cannot be read or makes no sense; with line and column.
pub(crate) fn read(
    file: &str,
    form: LaunchRequest,
    kubeconfigs: &[String],
) -> Result<ProjectFile, Report> {
    let project = open(file)?;
    let mut warnings = project.warnings.clone();
    let unknown = |kubeconfig: &&PathBuf| {
        kubeconfigs.iter().all(|known| Path::new(known) != kubeconfig.as_path())
    };
    if let Some(kubeconfig) = project.kubeconfig.as_ref().filter(unknown) {
        warnings.push(format!(
            "kubeconfig: {} is not among the files of the settings, so its contexts are not known here. Add it there.",
            kubeconfig.display()
        ));
    }
    let (request, gives) = filled(&project, form);
    let variable = |variable: &towline_project::Variable| ProjectVariable {
        name: variable.name.clone(),
        value: variable.value.as_ref().map(ToString::to_string),
    };
    Ok(ProjectFile {
        file: project.file.display().to_string(),
        request,
        gives: gives.into_iter().map(str::to_owned).collect(),
        variables: project.environment.iter().map(variable).collect(),
        env_file: project.env_file.as_ref().map(|file| file.display().to_string()),
        timeout_seconds: project.timeout.and_then(|time| u32::try_from(time.as_secs()).ok()),
        warnings,
    })
}

/// The form with what the file says in it, and the names of those fields.
fn filled(project: &Project, form: LaunchRequest) -> (LaunchRequest, Vec<&'static str>) {
    fn over<T>(place: &mut T, value: Option<T>) -> bool {
        let there = value.is_some();
        if let Some(value) = value {
            *place = value;
        }
        there
    }
    fn list<T>(place: &mut Vec<T>, values: Vec<T>) -> bool {
        let there = !values.is_empty();
        if there {
            *place = values;
        }
        there
    }
    let mut form = LaunchRequest { project: Some(project.file.display().to_string()), ..form };
    let mut gives = Vec::new();
    let mut give = |field: &'static str, there: bool| {
        if there {
            gives.push(field);
        }
    };
    give("context", over(&mut form.context, project.context.clone()));
    give("namespace", over(&mut form.namespace, project.namespace.clone()));
    give("target", over(&mut form.target, project.target.as_ref().map(ToString::to_string)));
    give("container", over(&mut form.container, project.container.clone().map(Some)));
    give("ports", list(&mut form.ports, project.ports.iter().filter_map(mapping).collect()));
    give("namespaces", list(&mut form.namespaces, project.namespaces.clone()));
    let host = |host: &towline_core::request::ExternalHost| ExternalHost {
        name: host.name.to_string(),
        ports: host.ports.clone(),
    };
    let hosts = project.external_hosts.iter().map(host).collect();
    give("externalHosts", list(&mut form.external_hosts, hosts));
    give("exclude", list(&mut form.exclude, project.exclude.clone()));
    give("mode", over(&mut form.mode, project.names.map(mode)));
    give("files", over(&mut form.files, project.volumes.map(files)));
    give("program", over(&mut form.program, program(project)));
    give("reconnect", over(&mut form.reconnect, project.reconnect));
    let lease = project.lease.and_then(|lease| u32::try_from(lease.as_secs()).ok());
    give("leaseSeconds", over(&mut form.lease_seconds, lease.map(Some)));
    give("agentImage", over(&mut form.agent_image, project.agent_image.clone().map(Some)));
    give("pullSecret", over(&mut form.pull_secret, project.pull_secret.clone().map(Some)));
    (form, gives)
}

/// A mapping to the same number is what is done without one.
fn mapping(port: &PortMapping) -> Option<Mapping> {
    Some(Mapping { remote: port.remote.to_string(), local: port.local? })
}

fn mode(names: Names) -> Mode {
    match names {
        Names::HostsFile => Mode::HostsFile,
        Names::Variables | Names::OwnHostsFile => Mode::NoAdministrator,
    }
}

fn files(volumes: Volumes) -> Files {
    match volumes {
        Volumes::Small => Files::Small,
        Volumes::None => Files::None,
    }
}

/// Where no directory is said it runs beside the file: this process was started anywhere.
fn program(project: &Project) -> Option<ProgramSpec> {
    let program = project.program.as_ref()?;
    let place = program.working_directory.as_deref().unwrap_or(directory(&project.file));
    // `workingDirectory: .` is that directory, and is not shown with a dot at its end.
    let place: PathBuf = place.components().collect();
    Some(ProgramSpec::Command {
        line: shell_words::join(&program.command),
        directory: Some(place.display().to_string()),
    })
}
