//! Job control: who of us and the command has the terminal (termios(3), "The Single UNIX Specification", 11.1.2 to 11.1.4).

use std::io;

use nix::sys::signal::{SigSet, Signal, killpg, raise};
use nix::unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp};

/// The terminal on standard input, whose foreground group we were at the start.
pub(super) struct Terminal {
    ours: Pid,
}

impl Terminal {
    /// The terminal, if there is one and it is ours to give.
    ///
    /// The calling thread can move it from then on; another would be stopped by SIGTTOU while it is in the background.
    pub(super) fn of_foreground() -> Option<Self> {
        let ours = getpgrp();
        if tcgetpgrp(io::stdin()) != Ok(ours) {
            return None;
        }
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGTTOU);
        mask.thread_block().ok()?;
        Some(Self { ours })
    }

    /// Makes `group` the foreground. It may have tried to read before and be stopped for that: so it is continued.
    pub(super) fn give(&self, group: Pid) {
        Self::put(group);
        let _ = killpg(group, Signal::SIGCONT);
    }

    /// Makes us the foreground again.
    pub(super) fn take_back(&self) {
        Self::put(self.ours);
    }

    /// The command was stopped (Ctrl-Z): we stop too, so that the shell gets the terminal; continued by the shell, we continue the command.
    pub(super) fn stop_together(&self, group: Pid) {
        // One that was stopped in the background, because it wanted to read, has no terminal to give back: the shell has it.
        if tcgetpgrp(io::stdin()) == Ok(group) {
            self.take_back();
        }
        if let Err(error) = raise(Signal::SIGTSTP) {
            tracing::warn!(%error, "towline cannot stop together with the command");
        }
        // By `fg` the terminal is ours now and goes to the command; by `bg` it stays the shell's.
        if tcgetpgrp(io::stdin()) == Ok(self.ours) {
            self.give(group);
        } else {
            let _ = killpg(group, Signal::SIGCONT);
        }
    }

    fn put(group: Pid) {
        if let Err(error) = tcsetpgrp(io::stdin(), group) {
            tracing::debug!(%error, "the terminal is gone");
        }
    }
}

#[cfg(test)]
mod tests;
