//! What `systemctl` is asked: which socket unit listens, and to stop a unit.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, getuid, pidfd_open, pidfd_send_signal};

use super::process;
use super::unit::{Unit, UnitScope, is_name};

/// How long the service manager may take to say what it has.
const ANSWER: Duration = Duration::from_secs(10);
/// How long a unit may take to stop: a little more than systemd gives a service by default before it kills it (`DefaultTimeoutStopSec`).
const STOP: Duration = Duration::from_secs(100);

/// The socket unit of this manager that listens there; none where that cannot be told.
pub(super) fn socket(scope: UnitScope, address: IpAddr, port: u16) -> Option<Unit> {
    let mut command = systemctl(scope);
    command.args(["show", "--no-pager", "--property=Id,Listen,ActiveState", "--", "*.socket"]);
    let said = run(command, ANSWER).ok()?.ok()?;
    let name = listening(&said, SocketAddr::new(address, port))?;
    Some(Unit { name: name.to_owned(), scope })
}

/// Stops a unit, and returns when it has stopped.
///
/// # Errors
/// When `systemctl` cannot be run, or not as that user. Inside: what it said, or that the time is over.
pub(super) fn stop(unit: &Unit) -> io::Result<Result<(), String>> {
    let mut command = systemctl(unit.scope);
    command.args(["stop", "--", &unit.name]);
    Ok(run(command, STOP)?.map(drop))
}

/// For a user's manager this becomes that user, and goes to the manager's own socket: `--machine=UID@` would want a D-Bus of the user's, which not every
/// system has.
fn systemctl(scope: UnitScope) -> Command {
    let mut command = Command::new("systemctl");
    if let UnitScope::User(uid) = scope {
        let own = uid == getuid().as_raw();
        if !own {
            command.uid(uid).gid(process::group(uid));
        }
        command.arg("--user");
        if !own || std::env::var_os("XDG_RUNTIME_DIR").is_none() {
            // As pam_systemd(8) makes it; a program that was started without a login session has no such variable.
            command.env("XDG_RUNTIME_DIR", format!("/run/user/{uid}"));
        }
    }
    command.arg("--no-ask-password").env("LC_ALL", "C").stdin(Stdio::null());
    command
}

/// What it printed; inside an error: what it complained about, or that it took too long.
fn run(mut command: Command, limit: Duration) -> io::Result<Result<String, String>> {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let process = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
    let (send, output) = mpsc::channel();
    std::thread::spawn(move || drop(send.send(child.wait_with_output())));
    let Ok(output) = output.recv_timeout(limit) else {
        // Unless it has ended at this very moment, which is late, too.
        let _ = pidfd_send_signal(&process, Signal::KILL);
        return Ok(Err(format!("no answer within {} s", limit.as_secs())));
    };
    let output = output?;
    if output.status.success() {
        return Ok(Ok(String::from_utf8_lossy(&output.stdout).into_owned()));
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Ok(Err(if said.is_empty() { output.status.to_string() } else { said }))
}

/// The unit that listens there, out of what `systemctl show` printed: one block a unit, with `Listen=ADDRESS (Stream)` for each of its sockets
/// (`ListenStream=ADDRESS` before systemd 220). Those that are not active hold nothing.
fn listening(said: &str, address: SocketAddr) -> Option<&str> {
    said.split("\n\n").find_map(|block| {
        let values = |of: &'static str| {
            block.lines().filter_map(move |line| {
                let (key, value) = line.split_once('=')?;
                key.starts_with(of).then_some(value)
            })
        };
        let listens = values("Listen")
            .filter_map(|value| value.trim_end_matches(" (Stream)").parse::<SocketAddr>().ok())
            .any(|listener| listener == address);
        let active = values("ActiveState").any(|state| state == "active");
        let name = values("Id").next()?;
        (listens && active && is_name(name)).then_some(name)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// As systemd 252 prints it.
    const SHOWN: &str = "\
Listen=[::]:8081 (Stream)
Listen=127.0.0.1:8083 (Stream)
Id=echo.socket
ActiveState=active

Listen=/run/dbus/system_bus_socket (Stream)
Id=dbus.socket
ActiveState=active

Listen=127.0.0.1:8084 (Datagram)
Id=datagrams.socket
ActiveState=active

Listen=0.0.0.0:22 (Stream)
Id=old.socket
ActiveState=inactive

Id=nothing.socket
ActiveState=active
";

    #[test]
    fn the_socket_unit_that_listens() {
        for (address, expected) in [
            ("[::]:8081", Some("echo.socket")),
            ("127.0.0.1:8083", Some("echo.socket")),
            ("127.0.0.1:8081", None),
            ("127.0.0.1:8084", None),
            ("0.0.0.0:22", None),
        ] {
            assert_eq!(listening(SHOWN, address.parse().unwrap()), expected, "{address}");
        }
        let old = "ListenStream=0.0.0.0:22\nId=sshd.socket\nActiveState=active";
        assert_eq!(listening(old, "0.0.0.0:22".parse().unwrap()), Some("sshd.socket"));
        assert_eq!(listening("", "0.0.0.0:22".parse().unwrap()), None);
    }

    #[test]
    fn what_takes_too_long_is_left() {
        let mut slow = Command::new("sleep");
        slow.arg("600");
        let said = run(slow, Duration::from_millis(10)).unwrap().unwrap_err();
        assert!(said.starts_with("no answer within"), "{said}");
        let said = run(Command::new("false"), ANSWER).unwrap().unwrap_err();
        assert!(said.contains("exit status: 1"), "{said}");
    }
}
