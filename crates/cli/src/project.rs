//! The project file on the command line: found, put under what the command line says, and `towline project`.

use std::path::{Path, PathBuf};

use serde::Serialize;
use towline_core::report::Code;
use towline_project::{Form, Project, ProjectError, discover, schema};

use crate::arguments::{
    ClusterArguments, Format, ProjectCommand, ProjectFileArguments, SessionArguments,
};
use crate::failure::Failure;
use crate::output;

/// The project file that a session is made with: the one that is named, else, where no target is given, the nearest.
pub(crate) fn of_session(arguments: &SessionArguments) -> Result<Option<Project>, Failure> {
    match (&arguments.project, &arguments.target) {
        (Some(file), _) => Ok(Some(Project::read(file)?)),
        (None, Some(_)) => Ok(None),
        (None, None) => Ok(Some(nearest()?)),
    }
}

fn nearest() -> Result<Project, Failure> {
    let here = std::env::current_dir().map_err(|error| {
        Failure::new(Code::Input, format!("the working directory cannot be told: {error}"))
    })?;
    let found = discover(&here, std::env::home_dir().as_deref())?;
    let file = found.ok_or(ProjectError::None(here))?;
    Ok(Project::read(&file)?)
}

/// What is said of a project file before it is used: where it is, and what of it has no effect.
pub(crate) fn introduction(project: &Project) -> Vec<String> {
    let file = shown(&project.file);
    let warnings = project.warnings.iter().map(|warning| format!("warning: {warning}"));
    std::iter::once(format!("using {file}")).chain(warnings).collect()
}

/// Which cluster the project says, where the command line does not.
pub(crate) fn adopt_cluster(arguments: &mut ClusterArguments, project: &Project) {
    if arguments.context.is_none() {
        arguments.context.clone_from(&project.context);
    }
    if arguments.kubeconfig.is_none() {
        arguments.kubeconfig.clone_from(&project.kubeconfig);
    }
}

/// Relative to the working directory, where it is below.
fn shown(file: &Path) -> String {
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| file.strip_prefix(here).ok().map(Path::to_owned));
    below.unwrap_or_else(|| file.to_owned()).display().to_string()
}

pub(crate) fn run(command: &ProjectCommand) -> Result<(), Failure> {
    match command {
        ProjectCommand::Check(arguments) => check(arguments),
        ProjectCommand::Import(arguments) => import(arguments),
        ProjectCommand::Schema => {
            output::json(&schema());
            Ok(())
        }
    }
}

fn read(arguments: &ProjectFileArguments) -> Result<Project, Failure> {
    match &arguments.file {
        Some(file) => Ok(Project::read(file)?),
        None => nearest(),
    }
}

/// What a file means, for programs.
#[derive(Serialize)]
struct Meaning {
    file: PathBuf,
    form: Form,
    target: Option<String>,
    namespace: Option<String>,
    program: Option<Vec<String>>,
    environment: Vec<(String, Option<String>)>,
    warnings: Vec<String>,
}

fn check(arguments: &ProjectFileArguments) -> Result<(), Failure> {
    let project = read(arguments)?;
    if arguments.output.output == Format::Json {
        output::json(&meaning(&project));
        return Ok(());
    }
    let mut lines = vec![format!("{} makes sense.", shown(&project.file))];
    lines.extend(project.warnings.iter().map(|warning| format!("warning: {warning}")));
    if project.target.is_none() {
        lines.push("It says no target: the command line has to.".to_owned());
    }
    let mut text = lines.join("\n");
    text += "\nWhether its tokens lead to something is seen by `towline plan`, which asks the cluster.\n\n";
    // Comments are told above.
    text.extend(
        project
            .to_yaml()
            .lines()
            .filter(|line| !line.starts_with('#'))
            .flat_map(|line| [line, "\n"]),
    );
    output::print(text.as_bytes());
    Ok(())
}

fn meaning(project: &Project) -> Meaning {
    let value = |variable: &towline_project::Variable| {
        (variable.name.clone(), variable.value.as_ref().map(ToString::to_string))
    };
    Meaning {
        file: project.file.clone(),
        form: project.form,
        target: project.target.as_ref().map(ToString::to_string),
        namespace: project.namespace.clone(),
        program: project.program.as_ref().map(|program| program.command.clone()),
        environment: project.environment.iter().map(value).collect(),
        warnings: project.warnings.clone(),
    }
}

fn import(arguments: &ProjectFileArguments) -> Result<(), Failure> {
    let project = read(arguments)?;
    if project.form == Form::Towline {
        let message = format!("{} is a file of Towline's own already", shown(&project.file));
        return Err(Failure::new(Code::Input, message)
            .with_hint("name a KubernetesLocalProcessConfig.yaml: towline project import FILE"));
    }
    output::print(project.to_yaml().as_bytes());
    Ok(())
}
