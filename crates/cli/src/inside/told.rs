//! What the process that becomes the program is told: its arguments, written and read.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use towline_core::volumes::{Handling, Volume};

use super::{NAME, itself};

/// A file or directory of this machine, and where it is to stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bind {
    pub(super) at: PathBuf,
    pub(super) from: PathBuf,
}

/// What the process is told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Only whether it would work.
    pub(super) check: bool,
    /// An empty directory of the session, for a new root.
    pub(super) stage: PathBuf,
    pub(super) volumes: Vec<Bind>,
    /// What stands for [`HOSTS`], if anything does.
    pub(super) hosts: Option<PathBuf>,
    pub(super) command: Vec<OsString>,
}

/// The command that runs `command` in a namespace with these volumes, and with `hosts` for its hosts file; `stage` is an empty directory.
pub(crate) fn wrap(
    command: &[OsString],
    stage: &Path,
    volumes: &[Volume],
    hosts: Option<&Path>,
) -> Vec<OsString> {
    let mut words: Vec<OsString> =
        vec![itself().into(), NAME.into(), "--stage".into(), stage.into()];
    let placed = volumes.iter().filter(|volume| volume.planned.handling != Handling::Left);
    for volume in placed {
        if let Some(local) = &volume.local {
            words.extend([
                "--volume".into(),
                volume.planned.mount_path.clone().into(),
                local.into(),
            ]);
        }
    }
    if let Some(hosts) = hosts {
        words.extend(["--hosts".into(), hosts.into()]);
    }
    words.push("--".into());
    words.extend(command.iter().cloned());
    words
}

pub(super) fn parse(mut arguments: impl Iterator<Item = OsString>) -> Option<Told> {
    let mut told = Told::default();
    while let Some(argument) = arguments.next() {
        match argument.to_str()? {
            "--check" => told.check = true,
            "--stage" => told.stage = arguments.next()?.into(),
            "--hosts" => told.hosts = Some(arguments.next()?.into()),
            "--volume" => {
                let (at, from) = (arguments.next()?.into(), arguments.next()?.into());
                told.volumes.push(Bind { at, from });
            }
            "--" => {
                told.command = arguments.collect();
                break;
            }
            _ => return None,
        }
    }
    (told.check == told.command.is_empty()).then_some(told)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> impl Iterator<Item = OsString> {
        words.iter().map(OsString::from).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn what_it_is_told() {
        let told =
            parse(words(&["--stage", "/s", "--volume", "/data", "/r/data", "--", "a", "--check"]))
                .unwrap();
        assert_eq!(told.volumes, [Bind { at: "/data".into(), from: "/r/data".into() }]);
        assert_eq!((told.command.len(), told.check), (2, false));
        assert_eq!(told.hosts, None);
        let told = parse(words(&["--stage", "/s", "--hosts", "/r/hosts", "--", "a"])).unwrap();
        assert_eq!(told.hosts.as_deref(), Some(Path::new("/r/hosts")));
        assert!(parse(words(&["--check"])).unwrap().check);
        for bad in
            [&["--volume", "/data"][..], &["--hosts"], &["--what"], &[], &["--stage", "/s", "--"]]
        {
            assert!(parse(words(bad)).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn what_the_process_is_told_is_what_it_understands() {
        let told = |hosts| {
            let words = wrap(&["a".into(), "--hosts".into()], Path::new("/s"), &[], hosts);
            parse(words.into_iter().skip(2)).unwrap()
        };
        assert_eq!(told(None).hosts, None);
        let told = told(Some(Path::new("/r/hosts")));
        assert_eq!((told.hosts, told.stage), (Some("/r/hosts".into()), "/s".into()));
        assert_eq!(told.command, ["a", "--hosts"]);
    }
}
