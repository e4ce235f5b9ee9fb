//! Brings together the session, the command, and the signals: takes what happens from each, and does what [`Course`] says about it.

use std::ffi::OsString;
use std::pin::Pin;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::time::{Instant, Sleep};
use towline_core::environment::{Environment, write_env_file};
use towline_core::event::{End, Event, What};
use towline_core::report::{Code, Report};
use towline_core::request::Request;
use towline_core::session::Session;

use super::course::{Action, Course, Input, Kind};
use super::interrupts::{Interrupt, Interrupts};
use super::narrate::Narrator;
use super::program::{Output, Program};
use crate::arguments::{ConnectArguments, Format};
use crate::failure::Failure;
use crate::inside;

/// How long a command that was told to end may take.
const GRACE: Duration = Duration::from_secs(10);

pub(super) struct Conductor {
    session: Session,
    events: BoxStream<'static, Event>,
    narrator: Narrator,
    interrupts: Interrupts,
    arguments: ConnectArguments,
    /// Whether the cluster restores by itself when this process is gone.
    restorer: bool,
    course: Course,
    program: Option<Program>,
    grace: Option<Pin<Box<Sleep>>>,
    /// What is to be told at the end.
    failure: Option<Failure>,
}

impl Conductor {
    pub(super) fn new(
        session: Session,
        narrator: Narrator,
        interrupts: Interrupts,
        arguments: ConnectArguments,
        restorer: bool,
    ) -> Self {
        let kind = if arguments.command.is_empty() { Kind::Wait } else { Kind::Command };
        Self {
            events: session.events(1).boxed(),
            session,
            narrator,
            interrupts,
            arguments,
            restorer,
            course: Course::new(kind),
            program: None,
            grace: None,
            failure: None,
        }
    }

    /// Runs to the end; the value is the exit status.
    pub(super) async fn run(mut self) -> Result<u8, Failure> {
        loop {
            let Some(input) = self.next().await else { continue };
            let mut inputs = vec![input];
            while let Some(input) = inputs.pop() {
                for action in self.course.on(input) {
                    match action {
                        Action::Start => inputs.extend(self.start()),
                        Action::Finish | Action::Abandon => return self.finish(action),
                        action => self.act(action),
                    }
                }
            }
        }
    }

    async fn next(&mut self) -> Option<Input> {
        let Self { events, interrupts, program, grace, .. } = self;
        let ended = async {
            match program {
                Some(program) => program.ended().await,
                None => std::future::pending().await,
            }
        };
        let over = async {
            match grace {
                Some(grace) => grace.as_mut().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // Events first: what is known of the session is told before what follows from it.
            biased;
            Some(event) = events.next() => self.event(event),
            ended = ended => {
                (self.program, self.grace) = (None, None);
                Some(Input::ProgramEnded(ended.status()))
            }
            interrupt = interrupts.next() => match interrupt {
                Interrupt::End(signal) => Some(Input::Interrupt(signal)),
                Interrupt::Reconnect => {
                    self.session.reconnect().await;
                    None
                }
            },
            () = over => {
                self.grace = None;
                Some(Input::GraceOver)
            }
        }
    }

    fn event(&mut self, mut event: Event) -> Option<Input> {
        if let What::Connected { env_file, .. } = &mut event.what
            && let Some(wanted) = &self.arguments.env_file
        {
            match write_env_file(wanted, &self.environment()) {
                Ok(()) => *env_file = wanted.clone(),
                Err(error) => {
                    self.narrator.say(&crate::failure::text(&Failure::from(error).report, false))
                }
            }
        }
        self.narrator.event(&event);
        match event.what {
            What::Connected { .. } => {
                if self.arguments.command.is_empty() {
                    self.narrator
                        .say("Start your program with that environment. Ctrl-C ends the session.");
                }
                Some(Input::Connected)
            }
            What::Overwritten { .. } => {
                Some(self.lost("somebody has changed the workload; theirs stays"))
            }
            What::TakenOver { .. } => {
                Some(self.lost("another session has taken the workload over"))
            }
            What::Lapsed if self.arguments.reconnect => None,
            What::Lapsed => Some(Input::Lapsed),
            What::Ended { end } => {
                match &end {
                    End::Failed { error } => {
                        self.failure = Some(Failure::of(error.clone()).in_events())
                    }
                    End::Deleted => self.failure = Some(lost("the workload was deleted")),
                    _ => {}
                }
                Some(Input::SessionEnded(end))
            }
            _ => None,
        }
    }

    fn lost(&mut self, why: &str) -> Input {
        self.failure = Some(lost(why));
        Input::Lost
    }

    fn environment(&self) -> Environment {
        self.session.environment().unwrap_or_default()
    }

    /// What is to be run: the user's command, or what becomes it with the volumes, and its own hosts file, in their places.
    fn command(&self) -> Result<Vec<OsString>, Failure> {
        if !self.arguments.session.mount {
            return Ok(self.arguments.command.clone());
        }
        let failed = |why: &str| {
            let message = format!("the volumes cannot be put at their own paths: {why}");
            Failure::new(Code::Program, message)
        };
        let (hosts, root) = (self.session.names().hosts_file.clone(), self.session.volumes_root());
        // Both stand in the session's directory.
        let any = hosts.as_ref().or(root.as_ref());
        let any = any.ok_or_else(|| failed("they are not on this machine"))?;
        let stage = any.with_file_name("inside");
        match std::fs::create_dir(&stage) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                Err(failed(&error.to_string()))
            }
            _ => {
                let (command, volumes) = (&self.arguments.command, self.session.volumes());
                Ok(inside::wrap(command, &stage, &volumes, hosts.as_deref()))
            }
        }
    }

    fn start(&mut self) -> Option<Input> {
        let output = match self.arguments.output.output {
            Format::Text => Output::Inherited,
            Format::Json => Output::ToStandardError,
        };
        let started = self.command().and_then(|command| {
            Program::start(
                &command,
                self.arguments.working_directory.as_deref(),
                &self.environment(),
                output,
            )
        });
        match started {
            Ok(program) => {
                self.program = Some(program);
                None
            }
            Err(failure) => {
                let status = failure.status();
                self.failure = Some(failure);
                Some(Input::NotStarted(status))
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Signal(signal) => {
                if let Some(program) = &self.program {
                    program.signal(signal);
                }
            }
            Action::BeginGrace => {
                self.grace = Some(Box::pin(tokio::time::sleep_until(Instant::now() + GRACE)))
            }
            Action::StopSession => {
                let session = self.session.clone();
                tokio::spawn(async move { session.stop().await });
            }
            Action::SayHowToLeave => {
                let leave =
                    if self.restorer { "leave that to the cluster" } else { "leave it as it is" };
                self.narrator.say(&format!(
                    "The workload is being put back. Press Ctrl-C again to {leave}."
                ));
            }
            Action::SayHowToReconnect => {
                let command = if self.program.is_some() { "the command goes on; " } else { "" };
                let again = format!("kill -USR1 {}", std::process::id());
                self.narrator
                    .say(&format!("{command}connect again by `{again}`; with --reconnect that happens by itself. Ctrl-C ends."));
            }
            Action::Start | Action::Abandon | Action::Finish => {}
        }
    }

    fn finish(mut self, action: Action) -> Result<u8, Failure> {
        if action == Action::Abandon {
            return Err(self.abandoned());
        }
        let status = self.course.status();
        match self.failure.take() {
            Some(failure) => Err(failure.with_status(status)),
            None => Ok(status),
        }
    }

    fn abandoned(&self) -> Failure {
        let lease = self.arguments.session.lease.unwrap_or(Request::LEASE).as_secs();
        let hint = if self.restorer {
            format!(
                "the cluster puts it back by itself within about {lease} s; `towline restore` does it at once"
            )
        } else {
            "put it back with `towline restore`".to_owned()
        };
        let target = self
            .arguments
            .session
            .target
            .as_ref()
            .map_or("the workload".to_owned(), ToString::to_string);
        Failure::new(Code::RestoreFailed, format!("left before {target} was put back"))
            .with_hint(hint)
    }
}

fn lost(why: &str) -> Failure {
    let message = format!("the session is over: {why}");
    let hint =
        Some("connect again when the workload is free; `towline status` shows sessions".to_owned());
    Failure::of(Report { code: Code::Changed, message, hint, detail: None }).in_events()
}
