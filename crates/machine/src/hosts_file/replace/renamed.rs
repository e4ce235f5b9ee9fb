//! A new file that takes the old one's place.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{self as system, AtFlags, Gid, Mode, OFlags, Uid, XattrFlags};
use rustix::io::Errno;

use super::super::super::HostsFileError;
use super::super::{Current, Outcome};

/// The new file until it takes the old one's place. One name is enough: there is the lock.
const NEW: &str = ".hosts.towline";

/// Nothing, when the file must be written in place: it is a mount, or its directory cannot be written.
pub(super) fn replace(
    current: &Current<'_>,
    new: &[u8],
) -> Result<Option<Outcome>, HostsFileError> {
    let Some(name) = current.path.file_name() else {
        return Err(HostsFileError::NotAFile { path: current.path.to_owned() });
    };
    let directory =
        directory(current.path).map_err(|source| current.failed("open its directory", source))?;
    let file = match create(&directory) {
        Ok(file) => file,
        Err(Errno::ROFS | Errno::ACCESS | Errno::PERM) => return Ok(None),
        Err(errno) => return Err(current.failed("create a new file", errno.into())),
    };
    let outcome = (|| {
        fill(current, &file, new)?;
        if !copy_attributes(current, &file) {
            return Ok(None);
        }
        file.sync_all().map_err(|source| current.failed("bring it to disk", source))?;
        if !current.is_unchanged()? {
            return Ok(Some(Outcome::Contended));
        }
        match system::renameat(&directory, NEW, &directory, name) {
            Ok(()) => Ok(Some(Outcome::Done)),
            Err(Errno::BUSY | Errno::XDEV) => Ok(None),
            Err(errno) => Err(current.failed("rename the new file", errno.into())),
        }
    })();
    if matches!(outcome, Ok(Some(Outcome::Done))) {
        // The rename has happened; a file system that cannot sync directories has its own ways.
        let _ = system::fsync(&directory);
    } else {
        let _ = system::unlinkat(&directory, NEW, AtFlags::empty());
    }
    outcome
}

/// Removes a new file whose writer was killed.
pub(in super::super) fn sweep(path: &Path) -> Result<(), HostsFileError> {
    let removed = directory(path)
        .and_then(|directory| Ok(system::unlinkat(directory, NEW, AtFlags::empty())?));
    match removed {
        // A directory that cannot be written holds none.
        Err(source)
            if !matches!(
                Errno::from_io_error(&source),
                Some(Errno::NOENT | Errno::ROFS | Errno::ACCESS | Errno::PERM)
            ) =>
        {
            let doing = "remove what was left beside it";
            Err(HostsFileError::Write { path: path.to_owned(), doing, source })
        }
        _ => Ok(()),
    }
}

fn directory(path: &Path) -> io::Result<OwnedFd> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(system::open(parent.unwrap_or(Path::new(".")), flags, Mode::empty())?)
}

fn create(directory: &OwnedFd) -> Result<File, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let create = || system::openat(directory, NEW, flags, Mode::RUSR | Mode::WUSR);
    match create() {
        Err(Errno::EXIST) => {
            system::unlinkat(directory, NEW, AtFlags::empty())?;
            create()
        }
        other => other,
    }
    .map(File::from)
}

fn fill(current: &Current<'_>, mut file: &File, new: &[u8]) -> Result<(), HostsFileError> {
    file.write_all(new).map_err(|source| current.failed("write the new file", source))?;
    let (uid, gid) =
        (Uid::from_raw(current.seen.stat.st_uid), Gid::from_raw(current.seen.stat.st_gid));
    system::fchown(file, Some(uid), Some(gid))
        .map_err(|errno| current.failed("keep its owner", errno.into()))?;
    // After the owner, since changing that clears bits of the mode.
    system::fchmod(file, Mode::from_raw_mode(current.seen.stat.st_mode))
        .map_err(|errno| current.failed("keep its mode", errno.into()))
}

/// Extended attributes, among them the label of SELinux and the access list. Tells whether the new file has them all.
fn copy_attributes(current: &Current<'_>, file: &File) -> bool {
    let Ok(names) = attribute_names(&current.seen.file) else {
        // The file system has none.
        return true;
    };
    names.split(|byte| *byte == 0).filter(|name| !name.is_empty()).all(|name| {
        let value = attribute(&current.seen.file, name);
        // A new file may have got the same from the system, which then need not allow to set it.
        value.is_ok_and(|value| {
            attribute(file, name).is_ok_and(|has| has == value)
                || system::fsetxattr(file, name, &value, XattrFlags::empty()).is_ok()
        })
    })
}

/// The most that Linux allows, for the names as for a value (xattr(7)).
const ATTRIBUTE_LIMIT: usize = 64 << 10;

fn attribute_names(file: impl AsFd) -> Result<Vec<u8>, Errno> {
    let mut names = vec![0; ATTRIBUTE_LIMIT];
    let length = system::flistxattr(file, &mut names[..])?;
    names.truncate(length);
    Ok(names)
}

fn attribute(file: impl AsFd, name: &[u8]) -> Result<Vec<u8>, Errno> {
    let mut value = vec![0; ATTRIBUTE_LIMIT];
    let length = system::fgetxattr(file, name, &mut value[..])?;
    value.truncate(length);
    Ok(value)
}
