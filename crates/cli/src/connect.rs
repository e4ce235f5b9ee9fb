//! `towline connect`: a session for as long as the user's command runs, or until Ctrl-C.

mod conductor;
mod course;
mod interrupts;
mod narrate;
mod program;
mod terminal;

use towline_core::environment::check_env_file;
use towline_core::plan::Plan;
use towline_core::report::Code;
use towline_core::request;
use towline_core::session::Session;

use self::conductor::Conductor;
use self::interrupts::Interrupts;
use self::narrate::Narrator;
use crate::arguments::ConnectArguments;
use crate::failure::Failure;
use crate::list::cluster;
use crate::plan::in_the_way;

/// Runs the session; the value is the exit status.
pub(crate) async fn run(arguments: ConnectArguments) -> Result<u8, Failure> {
    // What can be wrong on this machine is told before anything is asked of the cluster.
    if !arguments.command.is_empty() {
        program::find(&arguments.command)?;
    }
    if let Some(file) = &arguments.env_file {
        check_env_file(file)?;
    }
    let started_by = match arguments.command.as_slice() {
        [] => request::Program::StartedByUser,
        _ => request::Program::StartedByTowline,
    };
    let request = arguments.session.request(started_by, arguments.reconnect);
    let mut narrator = Narrator::new(arguments.output.output);
    narrator.step("looking at the cluster");
    let cluster = cluster(&arguments.session.cluster).await?;
    narrator.step("planning the session");
    let plan = Plan::make(&cluster, &request).await?;
    if let Some(failure) = in_the_way(&plan) {
        return Err(failure);
    }
    narrator.begin(&plan);
    // From here on a signal does not end this process at once.
    let interrupts = Interrupts::new().map_err(|error| {
        Failure::new(Code::Internal, format!("cannot wait for signals: {error}"))
    })?;
    let restorer = plan.restorer;
    let session = Session::connect(cluster, plan);
    Conductor::new(session, narrator, interrupts, arguments, restorer).run().await
}
