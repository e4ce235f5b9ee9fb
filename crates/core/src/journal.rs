//! What has been done in a cluster and must be undone, on this machine's disk: one file for each session, written before the first change and
//! removed after the last. `towline status` reads it, so that a session whose process died is found even where the cluster is forgotten.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use towline_wire::SessionId;
use towline_workload::WorkloadRef;

/// One session, as its file has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The session.
    pub session: SessionId,
    /// The context of the kubeconfig.
    pub context: String,
    /// The kubeconfig, where one was named; else those of `KUBECONFIG`, else the default one.
    pub kubeconfig: Option<PathBuf>,
    /// The workload that has been changed.
    pub workload: WorkloadRef,
    /// The lease, in the workload's namespace.
    pub lease: String,
    /// How long the cluster waits before it restores by itself, in seconds; `None`: it does not, there is no restorer.
    pub restores_after_s: Option<u64>,
    /// The session's private directory.
    pub directory: PathBuf,
    /// When the session began.
    pub started: Timestamp,
    /// The process that owns it.
    pub pid: u32,
    /// When that process began, in clock ticks since boot (proc_pid_stat(5), field 22), so that another process of the same number is told apart.
    pub process_started: Option<u64>,
}

/// The journal cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("The journal {} cannot be {doing}: {source}", .path.display())]
pub struct JournalError {
    path: PathBuf,
    doing: &'static str,
    #[source]
    source: io::Error,
}

/// The directory with the files.
#[derive(Clone, Debug)]
pub struct Journal {
    directory: PathBuf,
}

impl Journal {
    /// This user's: `$XDG_STATE_HOME/towline/sessions`, else `~/.local/state/towline/sessions`.
    pub fn of_user() -> Self {
        let absolute =
            |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = absolute("XDG_STATE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
            .unwrap_or_else(std::env::temp_dir);
        Self::at(state.join("towline/sessions"))
    }

    /// One in another directory.
    pub fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Writes an entry; it is on disk when this returns.
    ///
    /// # Errors
    /// When the directory cannot be made or the file not be written.
    pub fn write(&self, entry: &Entry) -> Result<(), JournalError> {
        let path = self.path(&entry.session);
        let failed = |source| JournalError { path: path.clone(), doing: "written", source };
        make_private_directory(&self.directory).map_err(failed)?;
        // tempfile makes it 0600; a reader sees the whole file or none.
        let mut file = tempfile::NamedTempFile::new_in(&self.directory).map_err(failed)?;
        let text = serde_json::to_vec_pretty(entry).map_err(|error| failed(error.into()))?;
        file.write_all(&text).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&path).map(drop).map_err(|error| failed(error.error))
    }

    /// Removes the session's entry; one that is not there is no error.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn remove(&self, session: &SessionId) -> Result<(), JournalError> {
        let path = self.path(session);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(JournalError { path, doing: "removed", source })
            }
            _ => Ok(()),
        }
    }

    /// All entries, the oldest first. A file that is no entry is passed over.
    ///
    /// # Errors
    /// When the directory is there and cannot be read.
    pub fn read_all(&self) -> Result<Vec<Entry>, JournalError> {
        let failed = |source| JournalError { path: self.directory.clone(), doing: "read", source };
        let files = match fs::read_dir(&self.directory) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut entries = Vec::new();
        for file in files {
            let path = file.map_err(failed)?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match fs::read(&path)
                .map_err(serde_json::Error::io)
                .and_then(|text| serde_json::from_slice(&text))
            {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "passed over in the journal")
                }
            }
        }
        entries.sort_by_key(|entry: &Entry| entry.started);
        Ok(entries)
    }

    /// The entries whose process is gone: their sessions were cut off. What those kept on this machine, the environment with its secrets, is
    /// removed; the entries stay until the cluster is known to have nothing of them, see [`Self::settle`].
    ///
    /// # Errors
    /// As [`Self::read_all`].
    pub fn abandoned(&self) -> Result<Vec<Entry>, JournalError> {
        let mut entries = self.read_all()?;
        entries.retain(|entry| !entry.is_alive());
        entries.iter().for_each(Entry::remove_directory);
        Ok(entries)
    }

    /// Removes the entries of sessions that were cut off on `workload` in the cluster of `context`: it has been looked at, and nothing of them is left.
    ///
    /// # Errors
    /// As [`Self::read_all`] and [`Self::remove`].
    pub fn settle(&self, context: &str, workload: &WorkloadRef) -> Result<(), JournalError> {
        let of_it = |entry: &Entry| entry.context == context && entry.workload == *workload;
        let done_with = self.abandoned()?.into_iter().filter(of_it);
        done_with.map(|entry| entry.session).try_for_each(|session| self.remove(&session))
    }

    fn path(&self, session: &SessionId) -> PathBuf {
        self.directory.join(format!("{session}.json"))
    }
}

impl Entry {
    /// Whether the process that owns the session still runs. An entry without is stale: its session was killed.
    pub fn is_alive(&self) -> bool {
        match (process_started(self.pid), self.process_started) {
            (Some(now), Some(then)) => now == then,
            (now, _) => now.is_some(),
        }
    }

    /// A file that somebody else wrote must not make us remove what is not ours: only a directory of the session's own name goes.
    fn remove_directory(&self) {
        if self.directory.file_name().is_none_or(|name| name != self.session.as_str()) {
            tracing::warn!(path = %self.directory.display(), "no directory of a session");
            return;
        }
        match towline_beneath::wipe(&self.directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(path = %self.directory.display(), %error, "the directory of a session that was cut off stays");
            }
            _ => {}
        }
    }

    /// The owner's part of an entry for this process.
    pub fn this_process() -> (u32, Option<u64>) {
        let pid = std::process::id();
        (pid, process_started(pid))
    }
}

/// When the process began, in clock ticks since boot; `None`: no such process. Where there is no /proc, every process counts as running.
fn process_started(pid: u32) -> Option<u64> {
    if !Path::new("/proc/self/stat").exists() {
        return Some(0);
    }
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the command in brackets, and may hold anything.
    let rest = stat.rsplit_once(')')?.1;
    rest.split_whitespace().nth(19)?.parse().ok()
}

/// Makes `directory` and what is above it, and sees that only this user may enter.
pub(crate) fn make_private_directory(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
        builder.mode(0o700).create(directory)?;
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
    }
    #[cfg(not(unix))]
    builder.create(directory)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use towline_workload::Kind;

    use super::*;

    fn entry(started: &str) -> Entry {
        let (pid, process_started) = Entry::this_process();
        Entry {
            session: SessionId::generate(),
            context: "sandbox".into(),
            kubeconfig: Some("/tmp/config".into()),
            workload: WorkloadRef {
                kind: Kind::Deployment,
                namespace: "shop".into(),
                name: "orders".into(),
            },
            lease: "towline-deploy-orders".into(),
            restores_after_s: Some(120),
            directory: "/run/x".into(),
            started: started.parse().unwrap(),
            pid,
            process_started,
        }
    }

    #[test]
    fn entries_come_back_in_order_and_go() {
        let home = tempfile::tempdir().unwrap();
        let journal = Journal::at(home.path().join("a/b"));
        assert_eq!(journal.read_all().unwrap(), []);
        let (later, earlier) = (entry("2026-02-01T00:00:00Z"), entry("2026-01-01T00:00:00Z"));
        journal.write(&later).unwrap();
        journal.write(&earlier).unwrap();
        fs::write(home.path().join("a/b/0123456789ab.json"), "{").unwrap();
        assert_eq!(journal.read_all().unwrap(), [earlier.clone(), later.clone()]);
        journal.remove(&earlier.session).unwrap();
        journal.remove(&earlier.session).unwrap();
        assert_eq!(journal.read_all().unwrap(), [later]);
    }

    #[test]
    fn only_the_user_may_read() {
        let home = tempfile::tempdir().unwrap();
        let journal = Journal::at(home.path().join("sessions"));
        let entry = entry("2026-01-01T00:00:00Z");
        journal.write(&entry).unwrap();
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(home.path().join("sessions")), 0o700);
        assert_eq!(mode(journal.path(&entry.session)), 0o600);
    }

    #[test]
    fn what_a_cut_off_session_kept_here_goes_at_once_and_its_entry_when_it_is_settled() {
        let home = tempfile::tempdir().unwrap();
        let journal = Journal::at(home.path().join("sessions"));
        let kept_by = |mut entry: Entry, name: &str| {
            entry.directory = home.path().join(name);
            fs::create_dir(&entry.directory).unwrap();
            fs::write(entry.directory.join("environment.env"), "PASSWORD=x").unwrap();
            journal.write(&entry).unwrap();
            entry
        };
        let alive = entry("2026-01-01T00:00:00Z");
        let alive = kept_by(alive.clone(), alive.session.as_str());
        let mut dead = entry("2026-01-02T00:00:00Z");
        dead.pid = u32::MAX;
        let dead = kept_by(dead.clone(), dead.session.as_str());
        let mut foreign = entry("2026-01-03T00:00:00Z");
        foreign.pid = u32::MAX;
        let foreign = kept_by(foreign, "somebody-elses");

        assert_eq!(journal.abandoned().unwrap(), [dead.clone(), foreign.clone()]);
        let there = [&alive, &dead, &foreign].map(|entry| entry.directory.exists());
        assert_eq!(there, [true, false, true]);
        journal.settle("another", &dead.workload).unwrap();
        assert_eq!(journal.read_all().unwrap().len(), 3);
        journal.settle("sandbox", &dead.workload).unwrap();
        assert_eq!(journal.read_all().unwrap(), [alive]);
    }

    #[test]
    fn another_process_of_the_same_number_is_told_apart() {
        let mut entry = entry("2026-01-01T00:00:00Z");
        assert!(entry.is_alive());
        entry.process_started = entry.process_started.map(|at| at + 1);
        assert!(!entry.is_alive());
        entry.pid = u32::MAX;
        assert!(!entry.is_alive());
    }
}
