//! `--mount` on a terminal: job control, signals and exit status are those of the program, as without it.

use std::fs;

use anyhow::{Result, ensure};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::towline::{Finished, run};

use super::mount::as_user;
use super::scene::deploy;

/// The user: an interactive shell in a terminal of its own. Its arguments are a file for the command line that it runs, and the command line. Each step
/// waits for a text behind the one before, and does something; that it typed something is no such text.
const USER_AT_A_TERMINAL: &str = r#"
import fcntl, os, pty, select, shlex, signal, struct, sys, termios, time
job, command = sys.argv[1], sys.argv[2:]
open(job, "w").write(shlex.join(command) + "\n")
child, terminal = pty.fork()
if child == 0:
    # Whoever started the tests may have ignored it, and that would be inherited.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ.update(PS1="> ", TERM="dumb", HISTFILE="/dev/null")
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
def size(columns, lines):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
seen = b""
def await_text(text):
    global seen, passed
    until = time.monotonic() + 80
    while text.encode() not in seen[passed:]:
        if not select.select([terminal], [], [], max(0, until - time.monotonic()))[0]:
            raise SystemExit(f"{text!r} did not come after:\n{seen.decode(errors='replace')}")
        try:
            seen += os.read(terminal, 4096)
        except OSError:
            raise SystemExit(f"the shell has gone; {text!r} did not come after:\n{seen.decode(errors='replace')}")
    passed = seen.index(text.encode(), passed) + len(text)
passed = 0
def type_in(text):
    os.write(terminal, text.encode())
def status(number):
    type_in('echo "status<$?>"\n')
    await_text(f"status<{number}>")
size(80, 24)
await_text("> ")
type_in(f". {job}\n")
await_text("<< ready hello 80 24 foreground >>")
size(100, 30)
await_text("<< size 100 30 >>")
type_in("\x03")
await_text("<< interrupted >>")
type_in("first\n")
await_text("<< got first >>")
type_in("\x1a")
await_text("Stopped")
status(128 + signal.SIGTSTP)
type_in("fg\n")
await_text("<< continued >>")
type_in("second\n")
await_text("<< got second >>")
type_in("\x1a")
await_text("Stopped")
type_in("bg\n")
# In the background it may not read: it is stopped for that, and the shell keeps the terminal.
await_text("<< continued >>")
type_in("\n")
await_text("> ")
type_in("until jobs | grep Stopped; do sleep 0.2; done; echo \"here<$((40 + 2))>\"\n")
await_text("Stopped")
await_text("here<42>")
type_in("fg\n")
await_text("<< continued >>")
type_in("end\n")
await_text("<< bye >>")
status(7)
type_in("exit\n")
while True:
    try:
        if not os.read(terminal, 4096):
            break
    except OSError:
        break
os.waitpid(child, 0)
print("the terminal is well")
"#;

/// The program: tells what it is told. Each time by one write, because the shell's prompt would come between two.
const PROGRAM: &str = r#"
import os, signal, sys
def say(*words):
    os.write(1, (" ".join(map(str, ["<<", *words, ">>"])) + chr(10)).encode())
signal.signal(signal.SIGINT, lambda *_: say("interrupted"))
signal.signal(signal.SIGCONT, lambda *_: say("continued"))
signal.signal(signal.SIGWINCH, lambda *_: say("size", *os.get_terminal_size()))
greeting = open(sys.argv[1] + "/etc/shop/greeting").read()
where = "foreground" if os.tcgetpgrp(0) == os.getpgrp() == os.getpid() else "background"
say("ready", greeting, *os.get_terminal_size(), where)
for line in sys.stdin:
    if line == "end\n":
        break
    say("got", line.strip())
say("bye")
sys.exit(7)
"#;

async fn is_well(ns: &Namespace, mount: &[&str], root: &str) -> Result<()> {
    let job = ns.home.path().join("job").display().to_string();
    fs::write(&job, "")?;
    let program = format!("exec /usr/bin/python3 -u -c '{PROGRAM}' \"{root}\"");
    let mut arguments = vec!["connect", "deployment/web", "-c", "main", "-n", &ns.name];
    arguments.extend(["--no-admin"].iter().chain(mount));
    arguments.extend(["--", "sh", "-c", &program]);
    let user = ["/usr/bin/python3", "-u", "-c", USER_AT_A_TERMINAL, &job];
    let Finished { status, stdout, stderr } = run(as_user(ns, &user, &arguments)?).await?;
    let told = format!("{status}\n{stdout}\n{stderr}");
    ensure!(status.success() && stdout.contains("the terminal is well"), "{told}");
    Ok(())
}

#[tokio::test]
async fn the_program_has_the_terminal_and_the_shell_its_job_control() -> Result<()> {
    let ns = Namespace::create("volumes-terminal").await?;
    deploy(&ns).await?;
    let before = ns.workload("Deployment", "web").await?;
    is_well(&ns, &["--mount"], "").await?;
    ns.comes_back("Deployment", "web", &before, 1).await?;
    is_well(&ns, &[], "$TOWLINE_ROOT").await?;
    ns.comes_back("Deployment", "web", &before, 1).await
}
