//! What is mounted in the container, as the kernel tells it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use towline_beneath::{Directory, Inside};
use towline_wire::files::{Mount, Refusal, RefusalKind};
use towline_wire::header::Bytes;

/// Where the kernel tells it (proc_pid_mountinfo(5)).
const MOUNTS: &str = "/proc/self/mountinfo";

/// The kernel's own file systems, which are no volumes.
const NOT_VOLUMES: [&str; 11] = [
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "debugfs",
    "devpts",
    "devtmpfs",
    "mqueue",
    "proc",
    "sysfs",
    "tracefs",
];

/// A mount that is open.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) mount: Mount,
    /// The mounted directory, or the one that the mounted file is in.
    pub(super) directory: Directory,
    /// The mounted file's name.
    pub(super) file: Option<Vec<u8>>,
    /// Where further mounts are in it: they are other volumes.
    pub(super) others: Vec<Inside>,
}

/// Every mount that may be a volume.
pub(super) fn all() -> Result<Vec<Mount>, Refusal> {
    let text = std::fs::read(MOUNTS)
        .map_err(|error| Refusal::of("reading what is mounted in the pod", &error))?;
    let mut mounts: Vec<Mount> = text.split(|b| *b == b'\n').filter_map(parse).collect();
    for mount in &mut mounts {
        mount.directory = path(&mount.path).is_dir();
    }
    Ok(mounts)
}

impl Opened {
    /// Opens the mount at `at`, which must be one.
    pub(super) fn find(at: &Bytes) -> Result<Self, Refusal> {
        let mounts = all()?;
        // Where there are several, the last is what the container sees.
        let Some(mount) = mounts.iter().rfind(|mount| mount.path == *at) else {
            let message = format!("{} is not a volume in the pod", path(at).display());
            return Err(Refusal::new(RefusalKind::NotAVolume, message));
        };
        Self::open(mount.clone(), &mounts)
    }

    fn open(mount: Mount, mounts: &[Mount]) -> Result<Self, Refusal> {
        let at = path(&mount.path);
        let failed = |error| Refusal::of(format!("opening {}", at.display()), &error);
        if mount.directory {
            let inner = mounts.iter().filter_map(|other| {
                let rest =
                    path(&other.path).strip_prefix(&at).ok()?.as_os_str().as_bytes().to_vec();
                Inside::parse(rest).ok().filter(|inside| !inside.is_top())
            });
            let directory = Directory::open(&at).map_err(failed)?;
            return Ok(Self { mount, directory, file: None, others: inner.collect() });
        }
        let (Some(parent), Some(name)) = (at.parent(), at.file_name()) else {
            return Err(Refusal::new(RefusalKind::NotAVolume, "the root is no volume"));
        };
        let directory = Directory::open(parent).map_err(failed)?;
        Ok(Self { mount, directory, file: Some(name.as_bytes().to_vec()), others: Vec::new() })
    }

    /// A directory as if it were mounted.
    #[cfg(test)]
    pub(super) fn of(at: &Path, others: Vec<Inside>) -> Self {
        let mount = Mount {
            path: at.as_os_str().as_bytes().to_vec().into(),
            read_only: false,
            file_system: "ext4".to_owned(),
            directory: true,
        };
        let directory = Directory::open(at).expect("a directory");
        Self { mount, directory, file: None, others }
    }
}

fn path(bytes: &Bytes) -> PathBuf {
    Path::new(OsStr::from_bytes(&Vec::from(bytes.clone()))).to_owned()
}

/// One line; `None` for what is no volume.
fn parse(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|b| *b == b' ');
    let at = unescape(fields.nth(4)?);
    let options = fields.next()?;
    let mut rest = fields.skip_while(|field| *field != b"-").skip(1);
    let file_system = String::from_utf8_lossy(rest.next()?).into_owned();
    let of_super_block = rest.nth(1)?;
    let is_kernels = NOT_VOLUMES.contains(&file_system.as_str());
    if at == b"/" || is_kernels || [b"/proc".as_slice(), b"/sys", b"/dev"].contains(&at.as_slice())
    {
        return None;
    }
    let read_only = |options: &[u8]| options.split(|b| *b == b',').any(|option| option == b"ro");
    Some(Mount {
        path: at.into(),
        read_only: read_only(options) || read_only(of_super_block),
        file_system,
        directory: true,
    })
}

/// Blanks, line breaks and backslashes are written as three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        let octal = (byte == b'\\').then(|| after.get(..3)).flatten();
        let value = octal
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match value {
            Some(value) => {
                bytes.push(value);
                rest = &after[3..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel() {
        let line = br"36 35 98:0 /x /with\040a\134blank rw,noatime master:1 - ext4 /dev/root rw,errors=continue";
        let mount = parse(line).unwrap();
        assert_eq!(mount.path, Bytes::from(br"/with a\blank".to_vec()));
        assert_eq!((mount.read_only, mount.file_system.as_str()), (false, "ext4"));
        let read_only = parse(b"1 2 0:1 / /etc/shop ro,relatime - tmpfs tmpfs rw").unwrap();
        assert!(read_only.read_only);
        assert!(parse(b"1 2 0:1 / /data rw - nfs4 server:/x ro").unwrap().read_only);
        for none in [
            "",
            "1 2 3",
            "1 2 0:1 / / rw - overlay overlay rw",
            "1 2 0:1 / /proc rw - proc proc rw",
            "1 2 0:1 / /dev rw - tmpfs tmpfs rw",
        ] {
            assert_eq!(parse(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn what_is_no_mount_is_refused() {
        for at in ["/", "/etc", "/proc", "/proc/self", "relative", ""] {
            let refusal = Opened::find(&Bytes::Text(at.to_owned())).unwrap_err();
            assert_eq!(refusal.kind, RefusalKind::NotAVolume, "{at}");
        }
    }
}
