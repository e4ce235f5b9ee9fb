//! What `towline connect` does when something happens. A table, apart from anything that does it.

use nix::sys::signal::Signal;
use towline_core::event::End;
use towline_core::report::Code;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// A signal for `towline`.
    Interrupt(Signal),
    /// The session does its job.
    Connected,
    /// The workload is somebody else's now; the session is on the way to its end.
    Lost,
    /// The cluster has put the workload back by itself; the session waits to be asked to connect again, unless it does so unasked.
    Lapsed,
    /// The session is over.
    SessionEnded(End),
    /// The command could not be started; the exit status for that.
    NotStarted(u8),
    /// The command ended, with this status as shells count it.
    ProgramEnded(u8),
    /// The time that the command has to end is over.
    GraceOver,
}

/// Something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Start the command.
    Start,
    /// Send this signal to the command.
    Signal(Signal),
    /// Tell when the command's time is over.
    BeginGrace,
    /// Begin to put the workload back.
    StopSession,
    /// Tell how to leave before the workload is put back.
    SayHowToLeave,
    /// Tell how to connect again.
    SayHowToReconnect,
    /// End without waiting for the workload.
    Abandon,
    /// End; [`Course::status`] is known.
    Finish,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    /// There is no command at all.
    None,
    /// It waits for the session.
    Waiting,
    Running,
    /// It was told to end.
    Ending,
    /// It ended, or could not be started, with this status.
    Ended(u8),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Session {
    Connecting,
    Connected,
    /// On the way to its end. Counts the signals since then.
    Stopping {
        signals: u8,
    },
    Ended(End),
}

/// Where `towline connect` is.
#[derive(Debug)]
pub(super) struct Course {
    program: Program,
    session: Session,
    /// The signal that ended the session before it was connected.
    interrupted: Option<Signal>,
}

/// Which command line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// With a command.
    Command,
    /// Without one: it waits for a signal.
    Wait,
}

impl Course {
    pub(super) fn new(kind: Kind) -> Self {
        let program = match kind {
            Kind::Command => Program::Waiting,
            Kind::Wait => Program::None,
        };
        Self { program, session: Session::Connecting, interrupted: None }
    }

    /// What to do about `input`, in this order.
    pub(super) fn on(&mut self, input: Input) -> Vec<Action> {
        match input {
            Input::Interrupt(signal) => self.interrupt(signal),
            Input::Connected => {
                self.session = Session::Connected;
                if self.program != Program::Waiting {
                    return Vec::new();
                }
                self.program = Program::Running;
                vec![Action::Start]
            }
            Input::NotStarted(status) | Input::ProgramEnded(status) => {
                self.program = Program::Ended(status);
                match self.session {
                    Session::Connecting | Session::Connected => self.stop(),
                    Session::Stopping { .. } => Vec::new(),
                    Session::Ended(_) => vec![Action::Finish],
                }
            }
            Input::Lost => {
                self.session = Session::Stopping { signals: 0 };
                self.end_program(Signal::SIGTERM)
            }
            Input::Lapsed => vec![Action::SayHowToReconnect],
            Input::SessionEnded(end) => self.session_ended(end),
            Input::GraceOver if self.program == Program::Ending => {
                vec![Action::Signal(Signal::SIGKILL)]
            }
            Input::GraceOver => Vec::new(),
        }
    }

    fn interrupt(&mut self, signal: Signal) -> Vec<Action> {
        match self.program {
            Program::Running => return self.end_program(signal),
            Program::Ending => return vec![Action::Signal(Signal::SIGKILL)],
            Program::None | Program::Waiting | Program::Ended(_) => {}
        }
        match &mut self.session {
            Session::Connecting => {
                self.interrupted = Some(signal);
                self.stop()
            }
            Session::Connected => self.stop(),
            Session::Stopping { signals: signals @ 0 } => {
                *signals = 1;
                vec![Action::SayHowToLeave]
            }
            Session::Stopping { .. } => vec![Action::Abandon],
            Session::Ended(_) => vec![Action::Finish],
        }
    }

    fn session_ended(&mut self, end: End) -> Vec<Action> {
        self.session = Session::Ended(end);
        match self.program {
            Program::None | Program::Waiting | Program::Ended(_) => vec![Action::Finish],
            Program::Ending => Vec::new(),
            Program::Running => self.end_program(Signal::SIGTERM),
        }
    }

    fn end_program(&mut self, signal: Signal) -> Vec<Action> {
        if self.program != Program::Running {
            return Vec::new();
        }
        self.program = Program::Ending;
        vec![Action::Signal(signal), Action::BeginGrace]
    }

    fn stop(&mut self) -> Vec<Action> {
        self.session = Session::Stopping { signals: 0 };
        vec![Action::StopSession]
    }

    /// The exit status, once finished.
    pub(super) fn status(&self) -> u8 {
        let program = match self.program {
            Program::Ended(status) => Some(status),
            _ => None,
        };
        match &self.session {
            Session::Ended(End::Failed { error }) => error.code.exit_status(),
            Session::Ended(End::Overwritten | End::TakenOver | End::Deleted) => {
                Code::Changed.exit_status()
            }
            Session::Ended(End::Lapsed) => program.unwrap_or(Code::Changed.exit_status()),
            _ => program.or(self.interrupted.map(|signal| 128 + signal as u8)).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests;
