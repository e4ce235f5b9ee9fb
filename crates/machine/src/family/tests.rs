use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use super::*;

/// A program in a group of its own, that has said that it runs.
fn start(program: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::piped()).stdin(Stdio::piped()).process_group(0);
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "up\n");
    child
}

const PYTHON: &str = "import sys; print('up', flush=True); sys.stdin.read()";

#[test]
fn a_program_behind_a_shell_is_found_with_what_runs_it() {
    let mut child = start("sh", &["-c", &format!("python3 -c \"{PYTHON}\" <&0; exit 3")]);
    let family = family(child.id());
    let [shell, python] = family.as_slice() else { panic!("{family:?}") };
    assert_eq!((shell.pid, shell.runtime), (child.id(), Runtime::Shell));
    assert_eq!(python.runtime, Runtime::Python);
    assert!(python.command[0].ends_with("python3"), "{python:?}");
    assert_eq!(python.command[1..], ["-c", PYTHON]);
    assert_eq!((python.traced_by, &python.awaits), (None, &None));
    assert_eq!(python.uid, nix::unistd::getuid().as_raw());
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert_eq!(super::family(child.id()), []);
}

#[test]
fn who_has_lost_its_parent_belongs_to_the_group() {
    // The shell is killed; what it has started goes on, in its group. (A shell gives /dev/null to what runs in the background, unless it is told otherwise.)
    let line = format!("exec 3<&0; python3 -c \"{PYTHON}\" <&3 & wait");
    let mut child = start("sh", &["-c", &line]);
    let before = family(child.id());
    // Waiting would close it, and so end the other.
    let input = child.stdin.take();
    child.kill().unwrap();
    child.wait().unwrap();
    let after = family(child.id());
    assert_eq!(after, before[1..], "{before:?}");
    drop(input);
    // It ends by itself: its input has.
    while !family(child.id()).is_empty() {
        std::thread::yield_now();
    }
}

#[test]
fn this_program_is_native() {
    let own = family(std::process::id());
    assert_eq!((own[0].pid, own[0].runtime), (std::process::id(), Runtime::Native));
}

#[test]
fn who_may_attach_is_read_as_the_kernel_writes_it() {
    let scopes = ["0\n", "1\n", "2\n", "3\n", ""].map(PtraceScope::parse);
    use PtraceScope::{Ancestors, Everybody, Nobody, Root};
    assert_eq!(scopes, [Everybody, Ancestors, Root, Nobody, Everybody]);
}
