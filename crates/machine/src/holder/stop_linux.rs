//! Ending holders on Linux.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::stop::{Claim, Ending, StopError, StopSignal};
use super::unit::Unit;
use super::{Holder, process};

/// More generations than processes ever have; a loop in what `/proc` says ends there.
const GENERATIONS: usize = 1000;

pub(super) fn is_ancestor(pid: u32) -> bool {
    let parent = |of: &u32| process::stat(*of).map(|(_, parent)| parent);
    std::iter::successors(parent(&std::process::id()), parent)
        .take(GENERATIONS)
        .any(|ancestor| ancestor == pid)
}

pub(super) fn signal(claim: &Claim, how: StopSignal) -> Result<Ending, StopError> {
    let process = holding(claim)?;
    let signal = match how {
        StopSignal::Term => Signal::TERM,
        StopSignal::Kill => Signal::KILL,
    };
    match pidfd_send_signal(&process, signal) {
        // It has ended by itself since.
        Ok(()) | Err(Errno::SRCH) => Ok(Ending { process }),
        Err(error) => Err(refused(claim, error)),
    }
}

pub(super) fn is_manager(pid: u32) -> bool {
    process::manager(pid).is_some()
}

pub(super) fn stop_unit(claim: &Claim, unit: &Unit) -> Result<(), StopError> {
    let _process = holding(claim)?;
    if process::unit(claim.pid, claim.address, claim.port).as_ref() != Some(unit) {
        return Err(StopError::AnotherUnit { pid: claim.pid, expected: unit.clone() });
    }
    if process::service(std::process::id()).as_ref() == Some(unit) {
        return Err(StopError::OwnUnit(unit.clone()));
    }
    super::systemctl::stop(unit)
        .map_err(|source| match source.kind() {
            // Another user's manager, and this is not root.
            io::ErrorKind::PermissionDenied => StopError::Denied { pid: claim.pid },
            _ => StopError::System { pid: claim.pid, source },
        })?
        .map_err(|said| StopError::Systemctl { unit: unit.clone(), said })
}

pub(super) fn wait(process: &OwnedFd, limit: Duration) -> io::Result<bool> {
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
        // pidfd_open(2): readable once the process has ended.
        match poll(&mut [PollFd::from_borrowed_fd(process.as_fd(), PollFlags::IN)], Some(&left)) {
            Ok(ended) => return Ok(ended > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The process of the claim, by a handle that stays its own even if its number is given to another. Looked at after the handle is had.
fn holding(claim: &Claim) -> Result<OwnedFd, StopError> {
    let changed = |now: String| StopError::Changed { claim: *claim, now };
    let ended = || changed("it has ended".to_owned());
    let pid = i32::try_from(claim.pid).ok().and_then(Pid::from_raw).ok_or_else(ended)?;
    let handle = match pidfd_open(pid, PidfdFlags::empty()) {
        Err(Errno::SRCH | Errno::INVAL) => return Err(ended()),
        handle => handle.map_err(|error| refused(claim, error))?,
    };
    match process::stat(claim.pid) {
        None => return Err(ended()),
        Some((started, _)) if started != claim.started => {
            return Err(changed("its number belongs to another process now".to_owned()));
        }
        Some(_) => {}
    }
    let holders = super::find(claim.address, claim.port)
        .map_err(|source| StopError::System { pid: claim.pid, source })?;
    if holders.iter().any(|holder| holder.pid == Some(claim.pid)) {
        return Ok(handle);
    }
    Err(match holders.as_slice() {
        [] => changed("the port is free".to_owned()),
        // Root sees every process; this user does not.
        holders if holders.iter().all(|holder| holder.pid.is_none()) => {
            StopError::Denied { pid: claim.pid }
        }
        holders => {
            let names: Vec<String> = holders.iter().map(Holder::to_string).collect();
            changed(format!("it is {}", names.join(" and ")))
        }
    })
}

fn refused(claim: &Claim, error: Errno) -> StopError {
    match error {
        Errno::PERM | Errno::ACCESS => StopError::Denied { pid: claim.pid },
        error => StopError::System { pid: claim.pid, source: error.into() },
    }
}
