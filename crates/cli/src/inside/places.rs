//! Where a volume's own path is on this machine.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use nix::unistd::{AccessFlags, access, geteuid};

/// Directories of this machine's that a volume must not hide: the program would not find the machine any more.
const MACHINES: [&str; 24] = [
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib32",
    "/lib64",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/local",
    "/usr/sbin",
    "/var",
    "/var/lib",
    "/var/tmp",
];

/// The kernel's, with all that is in them.
const KERNELS: [&str; 3] = ["/dev", "/proc", "/sys"];

/// The mode of a directory in which everybody may make files.
const WORLD_WRITABLE: u32 = 0o002;

/// A mount point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is there.
    There(PathBuf),
    /// It is not: what is there of the way, and what is missing.
    Missing { above: PathBuf, rest: PathBuf },
}

impl Place {
    /// Finds it. `session` is a directory that must stay in sight.
    pub(super) fn of(at: &Path, session: &Path) -> Result<Self, String> {
        let place = Self::find(at)?;
        let path = place.path();
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let is_machines = MACHINES.iter().any(|machines| path == Path::new(machines))
            || KERNELS.iter().any(|kernels| path.starts_with(kernels))
            || home.as_deref() == Some(path.as_path());
        if is_machines {
            return Err("it would hide this machine's own".to_owned());
        }
        if fs::canonicalize(session).is_ok_and(|session| session.starts_with(&path)) {
            return Err("it would hide the session's own files".to_owned());
        }
        if let Self::Missing { above, .. } = &place {
            let metadata =
                fs::metadata(above).map_err(|error| format!("{}: {error}", above.display()))?;
            let writable = !geteuid().is_root() && access(above, AccessFlags::W_OK).is_ok();
            if writable || metadata.mode() & WORLD_WRITABLE != 0 {
                return Err(format!(
                    "it does not exist, and {} must stay writable; make it yourself",
                    above.display()
                ));
            }
        }
        Ok(place)
    }

    fn find(at: &Path) -> Result<Self, String> {
        if !at.is_absolute() || at.components().any(|part| part == Component::ParentDir) {
            return Err("not an absolute path".to_owned());
        }
        for above in at.ancestors() {
            let Ok(found) = fs::canonicalize(above) else { continue };
            let rest = at.strip_prefix(above).unwrap_or(Path::new("")).to_owned();
            if rest.as_os_str().is_empty() {
                return Ok(Self::There(found));
            }
            if !found.is_dir() {
                return Err(format!("{} is a file", found.display()));
            }
            return Ok(Self::Missing { above: found, rest });
        }
        Err("there is no way to it".to_owned())
    }

    /// The path, without links.
    pub(super) fn path(&self) -> PathBuf {
        match self {
            Self::There(path) => path.clone(),
            Self::Missing { above, rest } => above.join(rest),
        }
    }

    /// Whether the root itself has to have another directory in it.
    pub(super) fn needs_new_root(&self) -> bool {
        matches!(self, Self::Missing { above, .. } if above == Path::new("/"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_and_what_is_missing() {
        let session = tempfile::tempdir().unwrap();
        let of = |at: &str| Place::of(Path::new(at), session.path());
        let missing =
            |above: &str, rest: &str| Place::Missing { above: above.into(), rest: rest.into() };
        assert_eq!(of("/towline-no/such"), Ok(missing("/", "towline-no/such")));
        assert_eq!(of("/etc/towline-no"), Ok(missing("/etc", "towline-no")));
        assert!(of("/towline-no").unwrap().needs_new_root());
        assert!(!of("/usr/share").unwrap().needs_new_root());
        for at in [
            "/",
            "/etc",
            "/etc/",
            "/tmp",
            "/proc/x",
            "/dev/shm",
            "relative",
            "/a/../etc",
            "/etc/passwd/x",
            "/tmp/towline-no/such",
        ] {
            assert!(of(at).is_err(), "{at}");
        }
        let above = session.path().parent().unwrap().to_str().unwrap();
        assert!(of(above).is_err() && of(session.path().to_str().unwrap()).is_err());
    }
}
