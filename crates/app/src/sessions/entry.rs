//! One session: the core's, its program, and what is shown of both.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use towline_core::event::Phase;
use towline_core::journal::Journal;
use towline_core::report::Code;
use towline_core::session::{Session, Surroundings};
use towline_project::Project;

use super::course::Course;
use super::volumes::Copies;
use super::{Launch, SearchPath, attention};
use crate::launch::inbound;
use crate::logs::LogWriter;
use crate::machine::Use;
use crate::program::Program;
use crate::report::failure;
use crate::view::{self, InboundPort, LaunchRequest, ProgramState, Report, SessionEvent};

/// A session. The follower (`follow`) tells what happens in it; everybody else asks here.
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) core: Session,
    pub(super) program: Option<Program>,
    pub(super) fixed: Fixed,
    /// Copies of volumes that are under way.
    pub(super) copies: Copies,
    /// Until the session has ended.
    helper: Mutex<Option<Use>>,
    pub(super) course: Mutex<Course>,
    /// Wakes the follower for what no event tells of.
    pub(super) changed: Notify,
    /// It is off the list.
    pub(super) dismissed: CancellationToken,
}

/// What does not change.
pub(super) struct Fixed {
    pub(super) form: LaunchRequest,
    pub(super) title: String,
    pub(super) namespace: String,
    pub(super) workload: String,
    container: String,
    started: i64,
    pub(super) inbound: Vec<InboundPort>,
    restorer: bool,
    command_line: String,
    /// Where the project file wants the environment written.
    pub(super) env_file: Option<PathBuf>,
}

impl Entry {
    /// Begins the session.
    pub(super) fn begin(
        launch: Launch,
        log: LogWriter,
        path: SearchPath,
        journal: Journal,
    ) -> Self {
        let Launch { cluster, plan, form, title, command, command_line, project, helper } = launch;
        let overlay = project.as_ref().and_then(Project::overlay);
        let with = helper.as_ref().map(|helper| helper.helper.clone());
        let workload = format!("{}/{}", plan.workload.kind, plan.workload.name);
        let fixed = Fixed {
            namespace: plan.workload.namespace.clone(),
            container: plan.container.clone(),
            started: plan.record.started.as_millisecond(),
            inbound: inbound(&plan),
            restorer: plan.restorer,
            form,
            title,
            workload: workload.clone(),
            command_line,
            env_file: project.and_then(|project| project.env_file),
        };
        Self {
            id: plan.session.to_string(),
            program: command.map(|command| Program::new(command, path, log)),
            core: Session::connect_with(
                cluster,
                plan,
                Surroundings { journal, helper: with, overlay },
            ),
            fixed,
            copies: Copies::default(),
            helper: Mutex::new(helper),
            course: Mutex::new(Course::new(workload)),
            changed: Notify::new(),
            dismissed: CancellationToken::new(),
        }
    }

    /// As it is now.
    pub(super) fn view(&self) -> view::Session {
        let snapshot = self.core.snapshot();
        let names = self.core.names();
        let listeners =
            super::traffic::listeners(&snapshot, &self.core.listener_uses(), &names.entries);
        let program = self.program_state();
        let course = self.course();
        let (phase, since) = course.phase(&snapshot);
        let tunnels = snapshot.tunnels.into_iter().map(|tunnel| view::Tunnel {
            pod: tunnel.pod,
            up: tunnel.up,
            round_trip_us: tunnel.round_trip_us,
        });
        view::Session {
            id: self.id.clone(),
            request: self.fixed.form.clone(),
            title: self.fixed.title.clone(),
            workload: self.fixed.workload.clone(),
            container: self.fixed.container.clone(),
            started: self.fixed.started,
            steps: course.steps.clone(),
            tunnels: tunnels.collect(),
            inbound: self.fixed.inbound.clone(),
            silent_ports: course.silent.clone(),
            listeners,
            mode: self.fixed.form.mode,
            volumes: self.copies.view(self.core.volumes()),
            figures: course.figures.clone(),
            env_file: snapshot.env_file.map(|file| file.to_string_lossy().into_owned()),
            events: course.event_count(),
            attention: attention::attention(&phase, &program, &self.fixed.workload),
            restorer: self.fixed.restorer,
            command_line: self.fixed.command_line.clone(),
            phase,
            since,
            program,
        }
    }

    /// Whether it has not ended.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.core.snapshot().phase, Phase::Ended(_))
    }

    /// Whether the cluster knows it by that id; after a lapse it has another one than before.
    pub(super) fn is_known_as(&self, session: &str) -> bool {
        self.id == session || self.core.snapshot().session.as_str() == session
    }

    /// Ends the program and then the session, and waits for both.
    pub(super) async fn stop(&self) {
        self.course().stop_wanted(Timestamp::now());
        self.changed.notify_one();
        if let Some(program) = &self.program {
            program.stopped().await;
        }
        self.core.stop().await;
    }

    pub(super) fn program_state(&self) -> ProgramState {
        self.program
            .as_ref()
            .map_or(ProgramState::ByUser, |program| program.state().borrow().clone())
    }

    /// Whether its program runs.
    pub(super) fn has_program(&self) -> bool {
        let state = self.program_state();
        matches!(state, ProgramState::Running { .. } | ProgramState::Ending { .. })
    }

    /// The number of its program's first process, while that runs.
    pub(super) fn program_pid(&self) -> Option<u32> {
        match self.program_state() {
            ProgramState::Running { pid, .. } | ProgramState::Ending { pid } => Some(pid),
            _ => None,
        }
    }

    pub(super) fn start_program(&self) -> Result<(), Report> {
        self.startable()?.start(self.core.environment().ok_or_else(not_connected)?);
        Ok(())
    }

    pub(super) fn restart_program(&self) -> Result<(), Report> {
        self.startable()?.restart(self.core.environment().ok_or_else(not_connected)?);
        Ok(())
    }

    pub(super) fn stop_program(&self) {
        if let Some(program) = &self.program {
            program.stop();
        }
    }

    fn startable(&self) -> Result<&Program, Report> {
        if !self.is_open() || self.course().is_stopping() {
            let message = format!(
                "The session {} is over, so its program would not reach the cluster.",
                self.fixed.title
            );
            return Err(failure(Code::Input, message, Some("Connect again.")));
        }
        self.program.as_ref().ok_or_else(|| {
            let hint = Some("Connect with a command to let Towline start it.");
            failure(Code::Input, "You start the program of this session yourself.", hint)
        })
    }

    /// The session has ended, and needs the helper no more.
    pub(super) fn let_helper_go(&self) {
        self.helper.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    pub(super) fn events(&self, from: u64, limit: u32) -> Vec<SessionEvent> {
        self.course().events(from, limit)
    }

    pub(super) fn course(&self) -> MutexGuard<'_, Course> {
        // Nothing that is done under the lock can panic half-way.
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn not_connected() -> Report {
    let message = "The session is not connected yet, so its environment is not known.";
    failure(Code::Input, message, Some("Wait until it is connected."))
}
