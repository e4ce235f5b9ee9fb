//! `towline connect`: a session for as long as the user's command runs, or until Ctrl-C.

mod conductor;
mod course;
mod free;
mod interrupts;
mod narrate;
mod program;
mod rights;
mod terminal;

use towline_core::environment::check_env_file;
use towline_core::journal::Journal;
use towline_core::plan::Plan;
use towline_core::report::Code;
use towline_core::request;
use towline_core::session::{Session, Surroundings};
use towline_project::Project;

use self::conductor::Conductor;
pub(crate) use self::free::FreePort;
use self::interrupts::Interrupts;
use self::narrate::Narrator;
use crate::arguments::{ConnectArguments, VolumesWanted};
use crate::failure::Failure;
use crate::inside;
use crate::list::cluster;
use crate::plan::in_the_way;
use crate::project;

/// Runs the session; the value is the exit status.
pub(crate) async fn run(mut arguments: ConnectArguments) -> Result<u8, Failure> {
    let project = project::of_session(&arguments.session)?;
    if let Some(project) = &project {
        adopt(&mut arguments, project);
    }
    // What can be wrong on this machine is told before anything is asked of the cluster.
    if !arguments.command.is_empty() {
        program::find(&arguments.command, arguments.working_directory.as_deref())?;
    }
    if arguments.session.mount {
        if arguments.command.is_empty() {
            let message = "--mount needs a command: only that sees what is mounted";
            return Err(Failure::new(Code::Input, message).with_hint("add it: -- COMMAND"));
        }
        inside::check()?;
    }
    if let Some(file) = &arguments.env_file {
        check_env_file(file)?;
    }
    let started_by = match arguments.command.as_slice() {
        [] => request::Program::StartedByUser,
        _ => request::Program::StartedByTowline,
    };
    let mut request = arguments.session.request(project.as_ref(), started_by)?;
    if arguments.session.mount
        && request.volumes == request::Volumes::None
        && request.names != request::Names::OwnHostsFile
    {
        let message = "--mount has nothing to mount with --volumes none";
        return Err(Failure::new(Code::Input, message)
            .with_hint("with --no-admin there is a hosts file of the command's own to mount"));
    }
    request.program = started_by;
    request.reconnect |= arguments.reconnect;
    arguments.reconnect = request.reconnect;
    arguments.session.lease = Some(request.lease);
    arguments.session.target = Some(request.target.clone());
    let mut narrator = Narrator::new(arguments.output.output);
    for line in project.iter().flat_map(project::introduction) {
        narrator.say(&line);
    }
    narrator.step("looking at the cluster");
    let cluster = cluster(&arguments.session.cluster).await?;
    narrator.step("planning the session");
    let mut plan = Plan::make(&cluster, &request).await?;
    if free::free(&plan, &arguments.free_ports, &mut narrator).await? {
        narrator.step("planning the session anew");
        plan = Plan::make(&cluster, &request).await?;
    }
    if let Some(failure) = in_the_way(&plan) {
        return Err(failure);
    }
    if let Some(project) = &project {
        for warning in project.check(&plan)? {
            narrator.pause();
            narrator.say(&format!("warning: {warning}"));
        }
    }
    // Before anything is changed, and while Ctrl-C still ends this process at once.
    let helper = match rights::obtain(&plan, &mut narrator).await {
        Err(refusal) if rights::are_not_insisted_on(&arguments.session, &refusal) => {
            narrator.say(rights::WITHOUT);
            narrator.step("planning the session anew");
            request.names = request::Names::OwnHostsFile;
            plan = Plan::make(&cluster, &request).await?;
            if let Some(failure) = in_the_way(&plan) {
                return Err(failure);
            }
            None
        }
        helper => helper?,
    };
    narrator.begin(&plan);
    // From here on a signal does not end this process at once.
    let interrupts = Interrupts::new().map_err(|error| {
        Failure::new(Code::Internal, format!("cannot wait for signals: {error}"))
    })?;
    let restorer = plan.restorer;
    let surroundings = Surroundings {
        journal: Journal::of_user(),
        helper,
        overlay: project.as_ref().and_then(Project::overlay),
    };
    let session = Session::connect_with(cluster, plan, surroundings);
    Conductor::new(session, narrator, interrupts, arguments, restorer).run().await
}

/// What the project says and the command line does not.
fn adopt(arguments: &mut ConnectArguments, project: &Project) {
    if arguments.command.is_empty()
        && let Some(program) = &project.program
    {
        arguments.command = program.command.iter().map(Into::into).collect();
        arguments.working_directory.clone_from(&program.working_directory);
    }
    if arguments.env_file.is_none() {
        arguments.env_file.clone_from(&project.env_file);
    }
    if arguments.session.volumes.is_none() && project.volumes == Some(request::Volumes::None) {
        arguments.session.volumes = Some(VolumesWanted::None);
    }
    project::adopt_cluster(&mut arguments.session.cluster, project);
}
