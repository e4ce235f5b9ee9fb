//! Entering a mount namespace of one's own.

use std::fs;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

/// No path of a file system, and no data.
const NONE: Option<&str> = None;

/// Enters a mount namespace; with a user namespace, in which the user has the right to mount, where that is not had already.
pub(super) fn enter() -> Result<(), String> {
    let (user, group) = (geteuid(), getegid());
    let entered = user.is_root() && unshare(CloneFlags::CLONE_NEWNS).is_ok();
    if !entered {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)
            .map_err(|error| format!("the system gives no user namespace ({error})"))?;
        // In this order: without the first, a group may not be mapped (user_namespaces(7)).
        for (file, text) in [
            ("setgroups", "deny".to_owned()),
            ("uid_map", format!("{user} {user} 1")),
            ("gid_map", format!("{group} {group} 1")),
        ] {
            fs::write(format!("/proc/self/{file}"), text)
                .map_err(|error| format!("the user cannot be mapped ({file}: {error})"))?;
        }
    }
    // What is mounted on the machine later is seen, and nothing goes out.
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NONE)
        .map_err(|error| not_allowed(&error))
}

/// Tries what [`enter`] cannot tell: some systems give a namespace, and no rights in it.
pub(super) fn try_mounting() -> Result<(), String> {
    mount(Some("tmpfs"), "/", Some("tmpfs"), MsFlags::empty(), NONE)
        .map_err(|error| not_allowed(&error))
}

fn not_allowed(error: &Errno) -> String {
    format!("the system does not let mount in a user namespace ({error})")
}
