//! `--mount`: the user's program in a mount namespace of its own, where the container's volumes stand at their own absolute paths, and without
//! administrator's rights with a hosts file of its own.
//!
//! `towline` starts itself once more for this, because a process that has threads cannot enter a user namespace (user_namespaces(7)). That one is
//! single-threaded, needs no rights, sets the namespace up, and then becomes the program: so its process, group, terminal, signals and exit
//! status are the program's own. The user is mapped to themselves.
//!
//! Where a mount point does not exist on this machine, nothing is made on this machine either: in the namespace its directory is covered by an
//! empty one with everything that is in it bound into that, and the mount point besides. Such a directory is read-only, so that nothing which is
//! written there is lost unnoticed.

mod mirror;
mod namespace;
mod places;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use towline_core::report::Code;
use towline_core::volumes::{Handling, Volume};

use self::mirror::Stage;
use self::places::Place;
use crate::failure::Failure;
use crate::output;

/// The first argument of the process that becomes the program. Not for people, and so not among the commands.
const NAME: &str = "__inside";

/// Where a program finds the hosts file.
const HOSTS: &str = "/etc/hosts";

/// Ended before the program began, as timeout(1), nohup(1) and env(1) count it.
const NOT_SET_UP: u8 = 125;

/// A file or directory of this machine, and where it is to stand.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bind {
    at: PathBuf,
    from: PathBuf,
}

/// What the process is told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    /// Only whether it would work.
    check: bool,
    /// An empty directory of the session, for a new root.
    stage: PathBuf,
    volumes: Vec<Bind>,
    /// What stands for [`HOSTS`], if anything does.
    hosts: Option<PathBuf>,
    command: Vec<OsString>,
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

/// This program, also when its file has been replaced meanwhile.
fn itself() -> &'static Path {
    Path::new("/proc/self/exe")
}

/// Tries whether namespaces can be had, in a process of its own.
pub(crate) fn check() -> Result<(), Failure> {
    let failed = |why: &str| {
        let message = format!("--mount is not possible on this machine: {why}");
        Failure::new(Code::Input, message).with_hint(
            "an administrator can allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces above 0, kernel.apparmor_restrict_unprivileged_userns=0); without --mount the files are below TOWLINE_ROOT",
        )
    };
    let output = Command::new(itself()).args([NAME, "--check"]).output();
    let output = output.map_err(|error| failed(&error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim()))
}

/// Becomes the program, if this process was started for that. To be called while there is one thread only.
pub(crate) fn asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().as_deref() != Some(OsStr::new(NAME)) {
        return None;
    }
    let status = match parse(arguments) {
        Some(told) => run(&told),
        None => {
            output::complain(
                "towline: this command is not for people; use `towline connect --mount`",
            );
            NOT_SET_UP
        }
    };
    Some(ExitCode::from(status))
}

fn parse(mut arguments: impl Iterator<Item = OsString>) -> Option<Told> {
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

fn run(told: &Told) -> u8 {
    if let Err(message) = set_up(told) {
        output::complain(&if told.check { message } else { format!("towline: {message}") });
        return NOT_SET_UP;
    }
    let Some((name, arguments)) = told.command.split_first() else { return 0 };
    let error = Command::new(name).args(arguments).exec();
    output::complain(&format!("towline: cannot start {}: {error}", Path::new(name).display()));
    if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }
}

fn set_up(told: &Told) -> Result<(), String> {
    namespace::enter()?;
    if told.check {
        return namespace::try_mounting();
    }
    let here = std::env::current_dir().ok();
    let mut wanted = Vec::new();
    for bind in outermost(&told.volumes) {
        match Place::of(&bind.at, &told.stage) {
            Ok(place) if bind.from.exists() => wanted.push((place, bind.from)),
            Ok(_) => say(&bind.at, "it is not on this machine"),
            Err(why) => say(&bind.at, &why),
        }
    }
    let mut stage =
        Stage::new(&told.stage, wanted.iter().any(|(place, _)| place.needs_new_root()))?;
    for (place, from) in &wanted {
        if let Err(why) = stage.put(place, from) {
            say(&place.path(), &why);
        }
    }
    if let Some(hosts) = &told.hosts {
        // Last, so that it lies over whatever else was put there; and the names are nowhere else, so the program does not begin without.
        let place = Place::of(Path::new(HOSTS), &told.stage);
        place
            .and_then(|place| stage.put(&place, hosts))
            .map_err(|why| format!("cannot give the program a hosts file of its own: {why}"))?;
    }
    stage.finish()?;
    // The directory that it is in may be another one by now.
    if let Some(here) = here
        && let Err(error) = std::env::set_current_dir(&here)
    {
        return Err(format!("cannot go back to {}: {error}", here.display()));
    }
    Ok(())
}

fn say(at: &Path, why: &str) {
    output::complain(&format!(
        "towline: {} is not at its own path: {why}; it is below TOWLINE_ROOT",
        at.display()
    ));
}

/// A volume within another comes with that: it is there on this machine too.
fn outermost(volumes: &[Bind]) -> Vec<Bind> {
    let is_within = |inner: &Bind| {
        volumes.iter().any(|outer| outer.at != inner.at && inner.at.starts_with(&outer.at))
    };
    volumes.iter().filter(|bind| !is_within(bind)).cloned().collect()
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

    #[test]
    fn a_volume_in_a_volume_comes_with_it() {
        let bind = |at: &str| Bind { at: at.into(), from: "/x".into() };
        let volumes = [bind("/data/inner"), bind("/data"), bind("/database")];
        assert_eq!(outermost(&volumes), [bind("/data"), bind("/database")]);
    }
}
