//! A process group that Towline has started: the only processes that it ever signals.

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// The group of a program, whose number is the number of its first process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group(Pid);

impl Group {
    /// The group whose first process, which is not waited for yet, has that number.
    pub(super) fn of(process: u32) -> Option<Self> {
        i32::try_from(process).ok().map(|number| Self(Pid::from_raw(number)))
    }

    /// Asks it to end.
    pub(super) fn end(self) {
        self.signal(Signal::SIGTERM);
    }

    /// Ends it.
    pub(super) fn kill(self) {
        self.signal(Signal::SIGKILL);
    }

    fn signal(self, signal: Signal) {
        match killpg(self.0, signal) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => {
                tracing::warn!(%error, %signal, group = %self.0, "the program was not signalled")
            }
        }
    }
}
