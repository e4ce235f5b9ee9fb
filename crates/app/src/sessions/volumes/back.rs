//! Writing files of this machine back to a volume.

use jiff::Timestamp;
use towline_core::report::Code;
use towline_core::volumes::{self, VolumeError, WrittenBack};
use towline_wire::header::Bytes;

use super::super::entry::Entry;
use super::{changed, find};
use crate::report::{explained, failure};
use crate::view::{FileState, IfChanged, Report, Tone, WriteConflict, WriteOutcome};

/// Files of this machine's copy that are not as they came.
pub(super) fn changed_files(entry: &Entry, mount: &str) -> Result<Vec<String>, Report> {
    let volume = find(entry, mount)?;
    let (Some(local), Some(came)) = (volume.local, volume.fresh_at) else {
        let message = format!("No file of {mount} has been copied to this machine.");
        return Err(failure(Code::Input, message, Some("Fetch the files first.")));
    };
    let written = entry.copies.of(mount, |copying| copying.written.clone());
    changed::files(&local, came, &written).map_err(|error| {
        let message = format!("The copy of {mount} cannot be read ({}): {error}.", local.display());
        failure(Code::Input, message, None)
    })
}

/// Writes these files of this machine back to the volume. Those that are not what was copied are told, not written, unless they are to be overwritten.
pub(super) async fn write(
    entry: &Entry,
    mount: &str,
    paths: Vec<String>,
    if_changed: IfChanged,
) -> Result<WriteOutcome, Report> {
    let paths = paths.into_iter().map(Bytes::Text).collect();
    let if_changed = match if_changed {
        IfChanged::Refuse => volumes::IfChanged::Refuse,
        IfChanged::Overwrite => volumes::IfChanged::Overwrite,
    };
    let (written, conflicts) = match entry.core.write_back(mount, paths, if_changed).await {
        Ok(written) => (written, Vec::new()),
        Err(VolumeError::Changed { conflicts, written }) => (written, conflicts),
        Err(error) => return Err(explained(&error)),
    };
    let count = u32::try_from(written.files.len()).unwrap_or(u32::MAX);
    if count > 0 {
        remember(entry, mount, written);
    }
    Ok(WriteOutcome { written: count, conflicts: conflicts.into_iter().map(conflict).collect() })
}

fn remember(entry: &Entry, mount: &str, written: WrittenBack) {
    let now = Timestamp::now();
    let detail = format!("{mount}: {}", written.files.join(", "));
    entry.course().tell(now.as_millisecond(), Tone::Good, "Files written back", detail);
    entry.copies.of(mount, |copying| {
        copying.written.extend(written.files.into_iter().map(|path| (path, now)));
    });
    entry.changed.notify_one();
}

fn conflict(conflict: volumes::Conflict) -> WriteConflict {
    let state = |seen: volumes::Seen| FileState {
        size: seen.size,
        modified: seen.modified.saturating_mul(1_000),
    };
    let volumes::Conflict { path, reason, here, there } = conflict;
    WriteConflict { path, reason, here: state(here), there: there.map(state) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_has_both_states_in_milliseconds() {
        let seen = |size, modified| volumes::Seen { size, modified };
        let of = |there| volumes::Conflict {
            path: "a".to_owned(),
            reason: "'a' in the pod is gone".to_owned(),
            here: seen(1, 2),
            there,
        };
        let shown = conflict(of(Some(seen(3, 4))));
        assert_eq!(shown.here, FileState { size: 1, modified: 2_000 });
        assert_eq!(shown.there, Some(FileState { size: 3, modified: 4_000 }));
        assert_eq!(conflict(of(None)).there, None);
    }
}
