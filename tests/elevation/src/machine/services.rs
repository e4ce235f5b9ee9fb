//! What is installed and started there.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use super::Machine;
use crate::{Polkit, first_line, say, until};

impl Machine {
    /// Puts a program where every user can run it; where that is now.
    ///
    /// # Errors
    ///
    /// When it is not there.
    pub fn install(&self, program: &Path) -> Result<PathBuf> {
        let name = program.file_name().context("a program")?;
        let installed = self.bin().join(name);
        // Some are large, and a link is as good where it is the same file system.
        if fs::hard_link(program, &installed).is_err() {
            fs::copy(program, &installed).with_context(|| format!("copy {}", program.display()))?;
        }
        Ok(installed)
    }

    /// D-Bus and polkitd, unless they are absent, with a rule for all that pkexec is asked for. Waits until they answer.
    pub(super) fn start_polkit(&mut self, polkit: Polkit) -> Result<()> {
        let rule = match polkit {
            Polkit::Grants => "return polkit.Result.YES;",
            Polkit::Refuses => "return polkit.Result.NO;",
            Polkit::Asks => "return polkit.Result.AUTH_SELF;",
            Polkit::Absent => return Ok(()),
        };
        let rules = format!(
            "polkit.addRule(function(action, subject) {{ if (action.id == \"org.freedesktop.policykit.exec\") {{ {rule} }} }});\n"
        );
        let path = self.directory.path().join("etc/polkit-1/rules.d/00-test.rules");
        fs::write(&path, rules)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
        let mut bus = self
            .inside("dbus-daemon")
            .args(["--system", "--nofork", "--nopidfile", "--print-address=1"])
            .stdout(Stdio::piped())
            .spawn()
            .context("run dbus-daemon")?;
        let address = first_line(&mut bus);
        self.services.push(bus);
        ensure!(address?.starts_with("unix:"), "dbus-daemon did not start");
        let daemon = self
            .inside("/usr/lib/polkit-1/polkitd")
            .arg("--no-debug")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("run polkitd")?;
        self.services.push(daemon);
        until("polkitd answers", || {
            let asked = self.output(
                "dbus-send",
                &[
                    "--system",
                    "--print-reply",
                    "--dest=org.freedesktop.DBus",
                    "/org/freedesktop/DBus",
                    "org.freedesktop.DBus.GetNameOwner",
                    "string:org.freedesktop.PolicyKit1",
                ],
            );
            Ok(asked?.status.success())
        })
    }

    /// Lets the program do one thing in a terminal of its own, where `answer` is typed when something asks for a password. What is printed there.
    ///
    /// # Errors
    ///
    /// When it cannot be run.
    pub fn in_terminal(&self, uid: u32, words: &str, answer: &str) -> Result<String> {
        let (first, rest) = self.words(uid);
        let line = format!("{first} {} {words}", rest.join(" "));
        let mut child = self
            .inside("script")
            .args(["--quiet", "--return", "--command", &line, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("run script")?;
        let mut output = child.stdout.take().context("its output is kept")?;
        let mut said = Vec::new();
        let mut byte = [0];
        while output.read(&mut byte)? > 0 {
            said.push(byte[0]);
            // It may ask again after a wrong one.
            if said.ends_with(b"Password: ") {
                self.until_the_terminal_is_mute()?;
                say(&mut child, answer)?;
            }
        }
        child.wait()?;
        Ok(String::from_utf8_lossy(&said).into_owned())
    }

    /// pkttyagent prints its question first, and then throws away what was typed when it switches the echo off.
    fn until_the_terminal_is_mute(&self) -> Result<()> {
        let terminal = self.read("ps", &["-C", "pkttyagent", "-o", "tty="])?;
        let terminal = format!("/dev/{}", terminal.trim());
        until("the terminal does not echo", || {
            Ok(self.read("stty", &["-F", &terminal, "-a"])?.contains("-echo "))
        })
    }
}
