//! The helper's place: a directory that only the user can enter, with the socket in it.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{self as system, AtFlags, FlockOperation, Mode, OFlags, Uid};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid, umask};
use tokio::net::UnixListener;

use super::{Listener, Place};
use crate::server::ServeError;

/// How often the lock is tried: another user's helper, which cleans up, may have it for a moment.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// The place, which this helper has for itself.
pub(crate) struct Home {
    place: Place,
    directory: OwnedFd,
    /// Locked until this process ends, however it ends.
    _lock: OwnedFd,
}

impl Home {
    /// Makes the directories. What an earlier helper left there is removed.
    pub(crate) fn claim(place: &Place) -> Result<Self, ServeError> {
        let root = own_directory(&place.root, Mode::from_raw_mode(0o755))
            .map_err(failed("make the directory", &place.root))?;
        let lock = lock(&place.lock(), ATTEMPTS)?;
        forget_dead(&place.root, place.uid);
        let path = place.directory();
        // The directory may be the user's from before. It is taken back until the socket is there, so that nobody puts a link in its place.
        let directory =
            own_directory(&path, Mode::RWXU).map_err(failed("make the directory", &path))?;
        remove_socket(&directory).map_err(failed("remove", &place.socket()))?;
        drop(root);
        Ok(Self { place: place.clone(), directory, _lock: lock })
    }

    /// Listens, and gives the directory to the user.
    pub(crate) fn listen(self) -> Result<(Listener, Self), ServeError> {
        let socket = self.place.socket();
        // The directory is the guard; a socket has to be writable to be spoken with, and its owner is not changed, since that would be done by its name.
        let before = umask(Mode::empty());
        let listener = UnixListener::bind(&socket);
        umask(before);
        let listener = listener.map_err(failed("listen on", &socket))?;
        system::fchown(&self.directory, Some(Uid::from_raw(self.place.uid)), None).map_err(
            |errno| failed("give away the directory", &self.place.directory())(errno.into()),
        )?;
        Ok((listener, self))
    }

    /// Removes the place.
    pub(crate) fn leave(self) {
        // What the user put there of their own stays, and the next helper takes it over.
        let _ = system::fchown(&self.directory, Some(geteuid()), None);
        let _ = remove_socket(&self.directory);
        let _ = fs::remove_dir(self.place.directory());
        let _ = fs::remove_file(self.place.lock());
    }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ServeError {
    let path = path.to_owned();
    move |source| ServeError::Place { doing, path, source }
}

/// The directory, made if it is not there; ours, with this mode.
fn own_directory(path: &Path, mode: Mode) -> io::Result<OwnedFd> {
    // Not everywhere is it of this type already.
    #[allow(clippy::useless_conversion)]
    let raw = u32::from(mode.as_raw_mode());
    match fs::DirBuilder::new().mode(raw).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = system::open(path, flags, Mode::empty())?;
    // Before the mode: whose it is may change that at any time.
    system::fchown(&directory, Some(geteuid()), Some(getegid()))?;
    system::fchmod(&directory, mode)?;
    Ok(directory)
}

fn remove_socket(directory: &OwnedFd) -> io::Result<()> {
    match system::unlinkat(directory, "helper.sock", AtFlags::empty()) {
        Err(Errno::ISDIR) => Ok(system::unlinkat(directory, "helper.sock", AtFlags::REMOVEDIR)?),
        Err(errno) if errno != Errno::NOENT => Err(errno.into()),
        _ => Ok(()),
    }
}

/// Locks the file, which is there only as long as somebody has it locked.
fn lock(path: &Path, attempts: u32) -> Result<OwnedFd, ServeError> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    for _ in 0..attempts {
        let file = system::open(path, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|errno| failed("open", path)(errno.into()))?;
        match system::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                std::thread::sleep(PAUSE);
                continue;
            }
            Err(errno) => return Err(failed("lock", path)(errno.into())),
        }
        // Whoever had it may have removed it between our opening and our locking: then the name is another file's, or nobody's.
        let ours = system::fstat(&file).map_err(|errno| failed("look at", path)(errno.into()))?;
        if fs::metadata(path).is_ok_and(|named| named.ino() == ours.st_ino) {
            return Ok(file);
        }
    }
    Err(ServeError::Running)
}

/// Removes the places of other users' helpers that were killed. Whatever cannot be removed is left to its own user's next helper.
fn forget_dead(root: &Path, own: u32) {
    let Ok(entries) = fs::read_dir(root) else { return };
    let users = entries.flatten().filter_map(|entry| {
        let name: PathBuf = entry.file_name().into();
        name.to_str().and_then(|name| name.parse::<u32>().ok())
    });
    for uid in users.filter(|uid| *uid != own) {
        let place = Place { root: root.to_owned(), uid, helper_uid: 0 };
        let Ok(_lock) = lock(&place.lock(), 1) else { continue };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        if let Ok(directory) = system::open(place.directory(), flags, Mode::empty()) {
            let _ = remove_socket(&directory);
        }
        let _ = fs::remove_dir(place.directory());
        let _ = fs::remove_file(place.lock());
    }
}
