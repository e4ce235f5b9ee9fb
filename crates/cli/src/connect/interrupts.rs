//! The signals that end `towline connect`.

use std::fs;
use std::io;

use nix::sys::signal::Signal;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interrupt {
    /// To end, by this signal.
    End(Signal),
    /// To connect again after a lapse: SIGUSR1.
    Reconnect,
}

/// SIGINT, SIGTERM, SIGHUP and SIGUSR1, from the moment that this is made.
pub(super) struct Interrupts {
    int: Stream,
    term: Stream,
    hup: Option<Stream>,
    usr1: Stream,
}

impl Interrupts {
    pub(super) fn new() -> io::Result<Self> {
        // Under nohup(1) the end of the terminal is not meant for us.
        let hup = if ignores(Signal::SIGHUP) { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self {
            int: signal(SignalKind::interrupt())?,
            term: signal(SignalKind::terminate())?,
            hup,
            usr1: signal(SignalKind::user_defined1())?,
        })
    }

    /// Waits for the next.
    pub(super) async fn next(&mut self) -> Interrupt {
        let Self { int, term, hup, usr1 } = self;
        let hang_up = async {
            match hup {
                Some(hup) => hup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = int.recv() => Interrupt::End(Signal::SIGINT),
            _ = term.recv() => Interrupt::End(Signal::SIGTERM),
            _ = usr1.recv() => Interrupt::Reconnect,
            _ = hang_up => Interrupt::End(Signal::SIGHUP),
        }
    }
}

// proc_pid_status(5): SigIgn, a mask in hexadecimal, bit 0 for signal 1.
fn ignores(signal: Signal) -> bool {
    let Ok(status) = fs::read_to_string("/proc/self/status") else { return false };
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (signal as u32 - 1)) != 0
}
