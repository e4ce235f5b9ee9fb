//! The processes of this machine, as /proc shows them. Nothing here trusts a file with a process identifier: after a reboot, or a long while,
//! the number can be somebody else's.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::{ffi::OsStringExt, fs::MetadataExt},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::cluster::Component;

/// A process, with its command line as it was when it was looked at.
#[derive(Debug)]
pub(super) struct Process {
    id: u32,
    command: Vec<PathBuf>,
}

impl Process {
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// The first word of the command line; none for kernel threads and zombies.
    pub(super) fn program(&self) -> Option<&Path> {
        self.command.first().map(PathBuf::as_path)
    }

    pub(super) fn runs(&self, component: &Component) -> bool {
        self.program() == Some(&component.program)
    }

    /// `1234 (/usr/bin/etcd --data-dir …)`, cut to what fits on a line.
    pub(super) fn describe(&self) -> String {
        let words: Vec<_> = self.command.iter().map(|word| word.to_string_lossy()).collect();
        let line: String = words.join(" ").chars().take(80).collect();
        format!("{} ({line})", self.id)
    }
}

/// Every process of this machine.
pub(super) fn all() -> Result<Vec<Process>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").context("read the list of processes in /proc")? {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process may end while we look.
        let Ok(line) = fs::read(format!("/proc/{id}/cmdline")) else {
            continue;
        };
        let words = line.split(|byte| *byte == 0).map(<[u8]>::to_vec);
        let mut command: Vec<_> =
            words.map(|word| PathBuf::from(OsString::from_vec(word))).collect();
        command.pop();
        found.push(Process { id, command });
    }
    Ok(found)
}

/// The processes whose network namespace is bound at `namespace`; none when nothing is bound there.
pub(super) fn in_network(namespace: &Path) -> Result<Vec<Process>> {
    let inode = match fs::metadata(namespace) {
        Ok(metadata) => metadata.ino(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(error).with_context(|| format!("look at {}", namespace.display()));
        }
    };
    let link = PathBuf::from(format!("net:[{inode}]"));
    let mut found = all()?;
    found.retain(|process| {
        fs::read_link(format!("/proc/{}/ns/net", process.id)).is_ok_and(|network| network == link)
    });
    Ok(found)
}

/// Ends these processes at once. It is no error when they have ended by themselves.
pub(super) fn kill(ids: &[u32]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let words: Vec<_> = ids.iter().map(ToString::to_string).collect();
    let output = Command::new("kill").arg("-KILL").args(&words).output().context("run kill")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    if complaint.contains("permitted") {
        bail!("cannot end processes {}: {complaint}", words.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn finds_a_process_by_its_program_and_ends_it() {
        let mut child = Command::new("/bin/sleep").arg("600").spawn().unwrap();
        // The command line is empty for a moment: the kernel lets the parent go on before it has noted where the arguments are.
        let process = loop {
            let found = all().unwrap().into_iter().find(|process| process.id() == child.id());
            let process = found.expect("a child that nobody has waited for is listed");
            if process.program().is_some() {
                break process;
            }
            std::thread::yield_now();
        };
        assert!(process.describe().contains("sleep"), "{process:?}");
        kill(&[child.id()]).unwrap();
        assert!(!child.wait().unwrap().success());
        kill(&[child.id()]).unwrap();
    }

    #[test]
    fn a_namespace_that_does_not_exist_has_no_processes() {
        assert!(in_network(Path::new("/run/netns/no-such")).unwrap().is_empty());
    }

    #[test]
    fn our_own_network_has_ourselves() {
        let found = in_network(Path::new("/proc/self/ns/net")).unwrap();
        assert!(found.iter().any(|process| process.id() == std::process::id()));
    }
}
