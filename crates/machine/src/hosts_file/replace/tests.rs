#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use proptest::prelude::*;
use rustix::fs::{self as system, FileType, Mode};

use super::*;

struct Place {
    directory: tempfile::TempDir,
    path: PathBuf,
    lock: Lock,
}

fn place(content: &[u8]) -> Place {
    let directory = tempfile::tempdir().unwrap();
    let run = directory.path().join("run");
    fs::create_dir(&run).unwrap();
    let path = directory.path().join("hosts");
    fs::write(&path, content).unwrap();
    Place { lock: Lock::take(&run, Duration::ZERO).unwrap(), directory, path }
}

impl Place {
    fn edit(&self, new: &[u8]) -> Result<bool, HostsFileError> {
        edit(&self.path, &self.lock, |_| new.to_vec())
    }

    /// What is beside the file and in the lock's directory.
    fn leftovers(&self) -> Vec<String> {
        let names = |path: &Path| -> Vec<String> {
            let entries = fs::read_dir(path).unwrap().map(Result::unwrap);
            entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
        };
        let mut all = names(self.directory.path());
        all.extend(names(&self.lock.scratch));
        all.retain(|name| !["hosts", "run", "hosts.lock", "other"].contains(&name.as_str()));
        all
    }
}

#[test]
fn a_new_file_keeps_mode_and_owner() {
    let place = place(b"a\n");
    fs::set_permissions(&place.path, fs::Permissions::from_mode(0o4641)).unwrap();
    let before = fs::metadata(&place.path).unwrap();
    assert!(place.edit(b"b\n").unwrap());
    let after = fs::metadata(&place.path).unwrap();
    assert_eq!(fs::read(&place.path).unwrap(), b"b\n");
    assert_eq!(
        (after.mode(), after.uid(), after.gid()),
        (before.mode(), before.uid(), before.gid())
    );
    assert_ne!(after.ino(), before.ino());
    assert_eq!(place.leftovers(), [""; 0]);
    assert!(!place.edit(b"b\n").unwrap(), "there was nothing to change");
    assert_eq!(fs::metadata(&place.path).unwrap().ino(), after.ino());
}

#[test]
fn a_file_of_several_names_stays_one() {
    let place = place(b"127.0.0.1 localhost\n");
    let other = place.directory.path().join("other");
    fs::hard_link(&place.path, &other).unwrap();
    for new in [&b"127.0.0.1 localhost\n127.77.0.1 x\n"[..], b"1", b"", b"longer than before\n"] {
        assert!(place.edit(new).unwrap());
        assert_eq!(fs::read(&other).unwrap(), new);
        assert_eq!(place.leftovers(), [""; 0]);
    }
}

#[test]
fn links_and_what_is_no_file_are_refused() {
    let place = place(b"a\n");
    let other = place.directory.path().join("other");
    fs::rename(&place.path, &other).unwrap();
    assert!(matches!(place.edit(b"b"), Err(HostsFileError::Missing { .. })));
    symlink(&other, &place.path).unwrap();
    let error = place.edit(b"b").unwrap_err();
    assert!(matches!(error, HostsFileError::Link { .. }));
    assert!(error.to_string().contains("is a symbolic link"), "{error}");
    assert_eq!(fs::read(&other).unwrap(), b"a\n");
    fs::remove_file(&place.path).unwrap();
    fs::create_dir(&place.path).unwrap();
    assert!(matches!(place.edit(b"b"), Err(HostsFileError::NotAFile { .. })));
    fs::remove_dir(&place.path).unwrap();
    // A pipe that nobody writes to does not keep us.
    let mode = Mode::RUSR | Mode::WUSR;
    system::mknodat(system::CWD, &place.path, FileType::Fifo, mode, 0).unwrap();
    assert!(matches!(place.edit(b"b"), Err(HostsFileError::NotAFile { .. })));
    fs::remove_file(&place.path).unwrap();
    fs::rename(&other, &place.path).unwrap();
    assert_eq!(place.leftovers(), [""; 0]);
}

#[test]
fn a_huge_file_is_refused_and_stays() {
    let place = place(b"a\n");
    let huge = vec![b'#'; usize::try_from(LIMIT).unwrap() + 1];
    assert!(matches!(place.edit(&huge), Err(HostsFileError::TooLarge { .. })));
    assert_eq!(fs::read(&place.path).unwrap(), b"a\n");
    fs::write(&place.path, &huge).unwrap();
    assert!(matches!(place.edit(b"b"), Err(HostsFileError::TooLarge { .. })));
    assert_eq!(fs::metadata(&place.path).unwrap().len(), LIMIT + 1);
}

#[test]
fn somebody_elses_change_at_the_same_moment_is_not_lost() {
    let place = place(b"a\n");
    let first = std::cell::Cell::new(true);
    let changed = edit(&place.path, &place.lock, |bytes| {
        if first.replace(false) {
            fs::write(&place.path, b"a\ntheirs\n").unwrap();
        }
        [bytes, b"ours\n"].concat()
    });
    assert!(changed.unwrap());
    assert_eq!(fs::read(&place.path).unwrap(), b"a\ntheirs\nours\n");
    // Nor when it never ends.
    let count = std::cell::Cell::new(0);
    let changed = edit(&place.path, &place.lock, |bytes| {
        count.set(count.get() + 1);
        fs::write(&place.path, count.get().to_string()).unwrap();
        [bytes, b"ours\n"].concat()
    });
    assert!(matches!(changed, Err(HostsFileError::Contended { attempts: ATTEMPTS, .. })));
    assert_eq!(fs::read(&place.path).unwrap(), ATTEMPTS.to_string().as_bytes());
    assert_eq!(place.leftovers(), [""; 0]);
}

#[test]
fn one_change_at_a_time() {
    let place = place(b"");
    let taken = Lock::take(&place.lock.scratch, Duration::ZERO);
    assert!(matches!(taken, Err(HostsFileError::Lock { .. })));
    let scratch = place.lock.scratch.clone();
    drop(place.lock);
    Lock::take(&scratch, Duration::ZERO).unwrap();
}

#[test]
fn what_a_kill_left_beside_the_file_is_removed() {
    let place = place(b"a\n");
    fs::write(place.directory.path().join(".hosts.towline"), b"half of").unwrap();
    assert!(place.edit(b"b\n").unwrap(), "it is in nobody's way");
    fs::write(place.directory.path().join(".hosts.towline"), b"half of").unwrap();
    sweep(&place.path, &place.lock).unwrap();
    assert_eq!(place.leftovers(), [""; 0]);
    assert_eq!(fs::read(&place.path).unwrap(), b"b\n");
}

/// Writing in place that is cut short at any byte is put back; and a file that somebody has changed since is not touched.
#[test]
fn a_write_that_a_kill_cut_short_is_put_back() {
    let cases: [(&[u8], &[u8]); 5] = [
        (b"a\n", b"a\nb\nc\n"),
        (b"a\nb\nc\n", b"a\n"),
        (b"abc\n", b"axc\nd\n"),
        (b"", b"abc"),
        (b"abc", b""),
    ];
    for (before, after) in cases {
        for written in 0..=after.len() {
            let mut cut = after[..written].to_vec();
            cut.extend_from_slice(before.get(written..).unwrap_or_default());
            let place = place(&cut);
            let copy = |name: &str| place.lock.scratch.join(name);
            fs::write(copy("hosts.before"), before).unwrap();
            fs::write(copy("hosts.after"), after).unwrap();
            sweep(&place.path, &place.lock).unwrap();
            let now = fs::read(&place.path).unwrap();
            assert!(
                now == before || (now == after && cut == after),
                "{written} of {after:?}: {now:?}"
            );
            assert_eq!(place.leftovers(), [""; 0]);
        }
    }
    let place = place(b"somebody else's\n");
    fs::write(place.lock.scratch.join("hosts.before"), b"a\n").unwrap();
    fs::write(place.lock.scratch.join("hosts.after"), b"a\nb\n").unwrap();
    sweep(&place.path, &place.lock).unwrap();
    assert_eq!(fs::read(&place.path).unwrap(), b"somebody else's\n");
    assert_eq!(place.leftovers(), [""; 0]);
}

proptest! {
    #[test]
    fn every_cut_is_recognised(before: Vec<u8>, after: Vec<u8>, at in any::<proptest::sample::Index>()) {
        let written = at.index(after.len() + 1);
        let mut cut = after[..written].to_vec();
        cut.extend_from_slice(before.get(written..).unwrap_or_default());
        prop_assert!(in_place::was_cut(&before, &after, &cut));
        cut.extend_from_slice(b"theirs");
        prop_assert!(!in_place::was_cut(&before, &after, &cut) || after.starts_with(&cut));
    }
}
