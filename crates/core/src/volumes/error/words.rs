//! Longer sentences about volumes.

use jiff::Timestamp;
use towline_wire::files::{Limit, Seen};

use super::human;
use crate::volumes::{Conflict, WrittenBack};

/// What there is too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// Bytes.
    Bytes,
    /// Files, directories and links.
    Entries,
    /// One of the two; the agent has found it out while it copied.
    Either,
}

impl Exceeded {
    pub(super) fn words(self, limit: Limit) -> String {
        let (bytes, entries) = (human(limit.bytes), limit.entries);
        match self {
            Self::Bytes => bytes,
            Self::Entries => format!("{entries} files, directories and links"),
            Self::Either => format!("{bytes}, or {entries} files, directories and links"),
        }
    }

    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Bytes => {
                "Choose some directories or files of it (`towline files list PATH` shows what there is), or raise the limit: `towline files get --limit SIZE`."
            }
            Self::Entries => {
                "Choose some directories or files of it (`towline files list PATH` shows what there is), or raise the limit: `towline files get --most-files NUMBER`."
            }
            Self::Either => {
                "Choose some directories or files of it (`towline files list PATH` shows what there is), or raise the limit: `towline files get --limit SIZE --most-files NUMBER`."
            }
        }
    }
}

/// So many conflicts are told one by one.
const TOLD: usize = 20;

/// Which files were not written back, with both states of each.
pub(super) fn changed(conflicts: &[Conflict], written: &WrittenBack) -> String {
    let file = |file: Seen| {
        let at =
            Timestamp::from_second(file.modified).map(|at| at.strftime("%F %T UTC").to_string());
        format!(
            "{}, changed {}",
            human(file.size),
            at.unwrap_or_else(|_| "at no known time".to_owned())
        )
    };
    let one = |conflict: &Conflict| {
        let there = conflict.there.map(|there| format!("; there: {}", file(there)));
        format!("{} (here: {}{})", conflict.reason, file(conflict.here), there.unwrap_or_default())
    };
    let mut told: Vec<String> = conflicts.iter().take(TOLD).map(one).collect();
    let rest = conflicts.len().saturating_sub(TOLD);
    if rest > 0 {
        told.push(format!("{rest} more are not what was copied"));
    }
    let others = match written.files.len() {
        0 => "nothing was written".to_owned(),
        count => format!("it stays as it is; the other files were written ({count})"),
    };
    format!("{}; {others}", told.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Explain;
    use crate::volumes::VolumeError;

    #[test]
    fn what_changed_is_told_with_both_states() {
        let here = Seen { size: 9, modified: 0 };
        let of = |path: &str, there| Conflict {
            path: path.to_owned(),
            reason: format!("'{path}' in the pod is not the same"),
            here,
            there,
        };
        let there = Seen { size: 2048, modified: 60 };
        let conflicts = vec![of("a", Some(there)), of("b", None)];
        let error = VolumeError::Changed { conflicts, written: WrittenBack::default() };
        let expected = "'a' in the pod is not the same (here: 9 B, changed 1970-01-01 00:00:00 UTC; there: 2 KiB, changed 1970-01-01 00:01:00 UTC), \
             'b' in the pod is not the same (here: 9 B, changed 1970-01-01 00:00:00 UTC); nothing was written";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn what_is_too_large_names_the_limit_and_what_to_do() {
        let limit = Limit { bytes: 1 << 30, entries: 100_000 };
        let mount = "/data".to_owned();
        let error = VolumeError::TooLarge { mount, limit, exceeded: Exceeded::Entries, had: false };
        let report = error.explain();
        let expected = "/data has more than 100000 files, directories and links, which is the limit; nothing was copied";
        assert_eq!(report.message, expected);
        assert!(report.hint.is_some_and(|hint| hint.contains("--most-files")));
    }
}
