//! A hosts file of the session's own, for a program that has it bound over the machine's.
//!
//! A bind mount shows the file that was bound and no other that takes its place later; and a directory cannot be bound over a single file. So the file is written
//! in place, in such an order that who reads meanwhile finds all that stays.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use towline_machine::hosts_file::{self, Owner};
use towline_machine::{HostsEntry, SessionName};

/// The file's name in the session's directory.
const FILE: &str = "hosts";

/// See the module.
pub(super) struct OwnHosts {
    session: SessionName,
    owner: Owner,
    /// What the first lines are copied from.
    machines: PathBuf,
    path: PathBuf,
    /// Kept open, because the file is read-only for everybody: for the program too, to which it is `/etc/hosts`.
    file: File,
    lines: Vec<HostsEntry>,
    /// What is in the file.
    length: usize,
}

/// The file cannot be made or written.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be {doing}: {source}", .path.display())]
pub(crate) struct OwnHostsError {
    doing: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl OwnHosts {
    /// Makes it, with what the machine's has and none of the session's lines.
    pub(super) fn make(directory: &Path, session: SessionName) -> Result<Self, OwnHostsError> {
        Self::beside(hosts_file::path(), directory, session)
    }

    fn beside(
        machines: &Path,
        directory: &Path,
        session: SessionName,
    ) -> Result<Self, OwnHostsError> {
        let path = directory.join(FILE);
        let made = || {
            let owner = Owner::own(user())?;
            // What an earlier attempt of this session has left may be bound nowhere yet.
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
            read_only(&file)?;
            Ok((owner, file))
        };
        let (owner, file) =
            made().map_err(|source| OwnHostsError { doing: "made", path: path.clone(), source })?;
        let machines = machines.to_owned();
        let mut own = Self { session, owner, machines, path, file, lines: Vec::new(), length: 0 };
        own.put()?;
        Ok(own)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the session's lines these; says whether they were others.
    pub(super) fn write(&mut self, lines: Vec<HostsEntry>) -> Result<bool, OwnHostsError> {
        if self.lines == lines {
            return Ok(false);
        }
        self.lines = lines;
        self.put()?;
        Ok(true)
    }

    fn put(&mut self) -> Result<(), OwnHostsError> {
        let machines = read(&self.machines).map_err(|source| OwnHostsError {
            doing: "read",
            path: self.machines.clone(),
            source,
        })?;
        let content = content(&machines, &self.session, &self.owner, &self.lines);
        let write = |file: &mut File| {
            // At once, and with empty lines over what is longer: no reader finds the rest of an old line behind the new ones.
            let mut bytes = content.clone();
            bytes.resize(content.len().max(self.length), b'\n');
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&bytes)?;
            file.set_len(content.len() as u64)
        };
        write(&mut self.file).map_err(|source| OwnHostsError {
            doing: "written",
            path: self.path.clone(),
            source,
        })?;
        self.length = content.len();
        Ok(())
    }
}

/// The machine's lines, as look-ups take the first that fits, then the session's. Lines of sessions that write into the machine's file are left out: here the names
/// are this session's.
fn content(machines: &[u8], session: &SessionName, owner: &Owner, lines: &[HostsEntry]) -> Vec<u8> {
    let without = hosts_file::remove_where(machines, |_| true);
    hosts_file::apply(&without, session, owner, lines)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(hosts_file::LIMIT + 1).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    if bytes.len() as u64 > hosts_file::LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 16 MiB"));
    }
    Ok(bytes)
}

#[cfg(unix)]
fn user() -> u32 {
    nix::unistd::geteuid().as_raw()
}

#[cfg(not(unix))]
fn user() -> u32 {
    0
}

/// Everybody may read it: a program that was started as root may go on as somebody else.
#[cfg(unix)]
fn read_only(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o444))
}

#[cfg(not(unix))]
fn read_only(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    const MACHINES: &str = "127.0.0.1 localhost\n10.1.2.3 printer";

    fn session() -> SessionName {
        "0123456789ab".parse().unwrap()
    }

    fn entry(number: u8, names: &[&str]) -> HostsEntry {
        HostsEntry {
            address: format!("127.77.1.{number}").parse().unwrap(),
            names: names.iter().map(|name| name.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn the_machines_lines_come_first_and_other_sessions_lines_not_at_all() {
        let owner = Owner::own(1000).unwrap();
        let other = "ba9876543210".parse().unwrap();
        let machines =
            hosts_file::apply(MACHINES.as_bytes(), &other, &owner, &[entry(1, &["redis"])]);
        let bytes = content(&machines, &session(), &owner, &[entry(2, &["redis", "redis.shop"])]);
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(
            text.starts_with("127.0.0.1 localhost\n10.1.2.3 printer\n# towline begin"),
            "{text}"
        );
        assert!(!text.contains("127.77.1.1") && !text.contains("ba9876543210"), "{text}");
        assert!(text.contains("127.77.1.2 redis redis.shop"), "{text}");
        assert_eq!(content(&machines, &session(), &owner, &[]), MACHINES.as_bytes());
        assert_eq!(content(b"", &session(), &owner, &[]), b"");
    }

    #[test]
    fn it_is_written_in_place_and_nothing_of_longer_lines_stays() {
        let directory = tempfile::tempdir().unwrap();
        let machines = directory.path().join("machines");
        fs::write(&machines, MACHINES).unwrap();
        let mut own = OwnHosts::beside(&machines, directory.path(), session()).unwrap();
        let read = |own: &OwnHosts| fs::read_to_string(own.path()).unwrap();
        let inode = |own: &OwnHosts| fs::metadata(own.path()).unwrap().ino();
        assert_eq!(read(&own), MACHINES);
        let (first, mut kept) = (inode(&own), File::open(own.path()).unwrap());
        assert!(own.write(vec![entry(1, &["a-long-name.shop"]), entry(2, &["redis"])]).unwrap());
        let long = read(&own);
        assert!(!own.write(vec![entry(1, &["a-long-name.shop"]), entry(2, &["redis"])]).unwrap());
        assert!(own.write(vec![entry(2, &["redis"])]).unwrap());
        let short = read(&own);
        assert!(short.len() < long.len() && !short.contains("a-long-name"), "{short}");
        assert!(short.ends_with("# towline end 0123456789ab"), "as the machine's ends: {short}");
        assert!(own.write(Vec::new()).unwrap());
        assert_eq!(read(&own), MACHINES);
        // What is bound is what was opened first.
        assert_eq!(inode(&own), first);
        assert_eq!(io::read_to_string(&mut kept).unwrap(), MACHINES);
        assert_eq!(fs::metadata(own.path()).unwrap().mode() & 0o777, 0o444);
        // What comes to the machine's later is there with the next change.
        fs::write(&machines, "127.0.0.1 localhost\n10.1.2.4 scanner\n").unwrap();
        assert!(own.write(vec![entry(2, &["redis"])]).unwrap());
        assert!(read(&own).contains("scanner"));
        assert_eq!(fs::read_to_string(&machines).unwrap().lines().count(), 2, "never written");
    }

    #[test]
    fn a_directory_that_is_gone_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let gone = directory.path().join("gone");
        let error = OwnHosts::make(&gone, session()).err().unwrap();
        assert!(error.to_string().contains("gone/hosts cannot be made"), "{error}");
    }
}
