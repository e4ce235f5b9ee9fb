//! Owns the program of a session.

use std::ffi::OsString;
use std::process::ExitStatus;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use towline_core::environment::Environment;
use towline_core::report::Code;

use super::command::Command;
use super::running::{Running, how};
use crate::logs::LogWriter;
use crate::report::failure;
use crate::view::ProgramState;

/// Gives the `PATH` for programs; `None`: this process's.
type Path = Arc<dyn Fn() -> Option<OsString> + Send + Sync>;

/// A session's program. When this is dropped, the program is told to end.
pub(crate) struct Program {
    orders: mpsc::UnboundedSender<Order>,
    state: watch::Receiver<ProgramState>,
}

enum Order {
    Start(Box<Environment>),
    Stop,
    Restart(Box<Environment>),
}

impl Program {
    /// A program that is not started yet. Needs to be called within a tokio runtime.
    pub(crate) fn new(command: Command, path: Path, log: LogWriter) -> Self {
        let (orders, received) = mpsc::unbounded_channel();
        let (tell, state) = watch::channel(ProgramState::Waiting);
        let runner = Runner {
            command,
            path,
            log,
            orders: received,
            state: tell,
            running: None,
            again: None,
        };
        tokio::spawn(runner.run());
        Self { orders, state }
    }

    /// Starts it, unless it runs.
    pub(crate) fn start(&self, environment: Environment) {
        self.order(Order::Start(Box::new(environment)));
    }

    /// Tells it to end; after 10 seconds it is killed.
    pub(crate) fn stop(&self) {
        self.order(Order::Stop);
    }

    /// Ends it, if it runs, and starts it again.
    pub(crate) fn restart(&self, environment: Environment) {
        self.order(Order::Restart(Box::new(environment)));
    }

    /// Its state, now and after each change.
    pub(crate) fn state(&self) -> watch::Receiver<ProgramState> {
        self.state.clone()
    }

    /// Stops it and waits for its end.
    pub(crate) async fn stopped(&self) {
        self.stop();
        let mut state = self.state.clone();
        let gone = |state: &ProgramState| {
            !matches!(state, ProgramState::Running { .. } | ProgramState::Ending { .. })
        };
        // The runner may not have seen the order yet; what runs is shown as running until it has.
        let _ = state.wait_for(gone).await;
    }

    fn order(&self, order: Order) {
        // The runner lives as long as this.
        let _ = self.orders.send(order);
    }
}

struct Runner {
    command: Command,
    path: Path,
    log: LogWriter,
    orders: mpsc::UnboundedReceiver<Order>,
    state: watch::Sender<ProgramState>,
    running: Option<Running>,
    /// To be started again once it has ended.
    again: Option<Box<Environment>>,
}

impl Runner {
    async fn run(mut self) {
        loop {
            let waited = matches!(
                *self.state.borrow(),
                ProgramState::Running { .. } | ProgramState::Ending { .. }
            );
            let running = self.running.as_mut().filter(|_| waited);
            let ended = async {
                match running {
                    Some(running) => running.ended().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // The end first: an order about a program that has ended is about the next one.
                biased;
                status = ended => self.ended(status),
                order = self.orders.recv() => match order {
                    Some(order) => self.take(order),
                    None => break,
                },
            }
        }
        if let Some(mut running) = self.running.take() {
            running.tell_to_end();
            running.ended().await;
        }
    }

    fn take(&mut self, order: Order) {
        let state = self.state.borrow().clone();
        match (order, state) {
            (
                Order::Start(environment) | Order::Restart(environment),
                ProgramState::Ending { .. },
            ) => {
                self.again = Some(environment);
            }
            (Order::Start(_), ProgramState::Running { .. }) => {}
            (Order::Restart(environment), ProgramState::Running { .. }) => {
                self.again = Some(environment);
                self.end();
            }
            (Order::Start(environment) | Order::Restart(environment), _) => {
                self.start(&environment)
            }
            (Order::Stop, ProgramState::Running { .. }) => self.end(),
            (Order::Stop, _) => {
                self.again = None;
                self.sweep();
            }
        }
    }

    fn start(&mut self, environment: &Environment) {
        self.sweep();
        let path = (self.path)();
        let file = match self.command.find(path.as_deref()) {
            Ok(file) => file,
            Err(error) => return self.failed(error.report()),
        };
        match Running::start(&self.command, &file, environment, path.as_deref(), &self.log) {
            Ok(running) => {
                let pid = running.pid;
                self.log.say(&format!("Started {} (process {pid})", self.command.line()));
                self.running = Some(running);
                let since = Timestamp::now().as_millisecond();
                self.state.send_replace(ProgramState::Running { pid, since });
            }
            Err(error) => {
                let message = format!("Cannot start {}: {error}.", self.command.line());
                self.failed(failure(
                    Code::Program,
                    message,
                    Some("Correct the command and start it again."),
                ));
            }
        }
    }

    fn failed(&mut self, report: crate::view::Report) {
        self.log.say(&report.message);
        self.state.send_replace(ProgramState::Failed { report });
    }

    fn end(&mut self) {
        let Some(running) = &mut self.running else { return };
        running.tell_to_end();
        let pid = running.pid;
        self.state.send_replace(ProgramState::Ending { pid });
    }

    fn ended(&mut self, status: ExitStatus) {
        let told = self.running.as_ref().is_some_and(|running| running.told);
        let how = how(status);
        self.log.say(&format!("Ended with {how}"));
        if told {
            self.running = None;
        }
        let (well, at) = (told || status.success(), Timestamp::now().as_millisecond());
        self.state.send_replace(ProgramState::Exited { how, well, at });
        if let Some(environment) = self.again.take() {
            self.start(&environment);
        }
    }

    /// Ends what a program that has ended by itself has left running.
    fn sweep(&mut self) {
        if let Some(left) = self.running.take() {
            left.sweep();
        }
    }
}
