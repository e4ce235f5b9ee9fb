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
mod told;

use std::ffi::OsStr;
use std::fmt::Write;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use nix::unistd::geteuid;
use towline_core::report::Code;
use towline_core::volumes::{Handling, PlannedVolume};

use self::mirror::Stage;
use self::places::Place;
pub(crate) use self::told::wrap;
use self::told::{Bind, Told, parse};
use crate::failure::Failure;
use crate::output;

/// The first argument of the process that becomes the program. Not for people, and so not among the commands.
const NAME: &str = "__inside";

/// Where a program finds the hosts file.
const HOSTS: &str = "/etc/hosts";

/// Ended before the program began, as timeout(1), nohup(1) and env(1) count it.
const NOT_SET_UP: u8 = 125;

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

/// What the program would see of these volumes at their own paths, in lines for a plan.
pub(crate) fn foretell(volumes: &[PlannedVolume]) -> String {
    let mut text = String::from("\nWith --mount the command finds\n");
    for volume in volumes.iter().filter(|volume| volume.handling != Handling::Left) {
        // There is no session yet that must stay in sight.
        let told = match Place::of(Path::new(&volume.mount_path), Path::new("")) {
            Ok(Place::Missing { above, .. }) if geteuid().is_root() => {
                format!("at its own path; nothing can be made directly in {} then", above.display())
            }
            Ok(_) => "at its own path".to_owned(),
            Err(why) => format!("below TOWLINE_ROOT only: {why}"),
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {}  {told}", volume.mount_path);
    }
    text
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

    #[test]
    fn a_plan_says_where_each_volume_will_be() {
        let volume = |at: &str| -> PlannedVolume {
            let planned = serde_json::json!({
                "name": "v", "mount_path": at, "kind": "empty_dir", "source": null, "read_only": false,
                "sub_path": null, "handling": "on_demand",
            });
            serde_json::from_value(planned).unwrap()
        };
        let told = foretell(&[volume("/usr/share"), volume("/tmp")]);
        let expected = "\nWith --mount the command finds\n  /usr/share  at its own path\n  /tmp  below TOWLINE_ROOT only: it would hide this machine's own\n";
        assert_eq!(told, expected);
    }

    #[test]
    fn a_volume_in_a_volume_comes_with_it() {
        let bind = |at: &str| Bind { at: at.into(), from: "/x".into() };
        let volumes = [bind("/data/inner"), bind("/data"), bind("/database")];
        assert_eq!(outermost(&volumes), [bind("/data"), bind("/database")]);
    }
}
