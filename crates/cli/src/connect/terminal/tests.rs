#![allow(clippy::unwrap_used)]

use std::ffi::OsString;
use std::process::Command;

use towline_core::environment::Environment;

use crate::connect::program::{Ended, Output, Program};

/// What the command under test does: reads a line, which it can do only once it has the terminal; is interrupted; reads another; stops itself as
/// Ctrl-Z would.
const SCRIPT: &str = "trap 'echo interrupted' INT; echo ready; read line; echo foreground; read line || read line; echo got-$line; kill -TSTP $$; echo continued; exit 5";

/// Runs its arguments in a terminal of their own, types Ctrl-C and a line when it is asked for, and shows all that was written.
const TERMINAL: &str = r#"
import os, pty, signal, sys
signal.alarm(60)
child, terminal = pty.fork()
if child == 0:
    # Whoever started the tests may have ignored Ctrl-C, as shells do for what runs in the background; that would be inherited.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])
answers = [(b"ready", b"go\n"), (b"foreground", b"\x03"), (b"interrupted", b"hello\n")]
seen = b""
while True:
    try:
        read = os.read(terminal, 4096)
    except OSError:
        break
    if not read:
        break
    seen += read
    while answers and answers[0][0] in seen:
        os.write(terminal, answers.pop(0)[1])
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

#[test]
fn the_command_has_the_terminal_and_gives_it_back() {
    let own = std::env::current_exe().unwrap();
    let output = Command::new("python3")
        .args(["-c", TERMINAL])
        .arg(own)
        .args([
            "--ignored",
            "--nocapture",
            "--exact",
            "connect::terminal::tests::inside_a_terminal",
        ])
        .output()
        .unwrap();
    let seen = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{seen}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(seen.matches("interrupted\r\n").count(), 1, "Ctrl-C did not come once: {seen}");
    for part in ["got-hello\r\n", "continued\r\n", "ours again\r\n"] {
        assert!(seen.contains(part), "no {part:?}: {seen}");
    }
}

/// In its own terminal this process leads a session, so its group has no shell that could continue it: stopping together is then no stop at all
/// (POSIX calls such a group orphaned), and the command is continued at once.
#[tokio::test]
#[ignore = "needs a terminal; run by the test above"]
async fn inside_a_terminal() {
    let command: Vec<OsString> = ["sh", "-c", SCRIPT].map(OsString::from).into();
    let mut program =
        Program::start(&command, None, &Environment::default(), Output::Inherited).unwrap();
    assert_eq!(program.ended().await, Ended::Exited(5));
    assert_eq!(nix::unistd::tcgetpgrp(std::io::stdin()), Ok(nix::unistd::getpgrp()));
    println!("ours again");
}
