use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::files::{OLD_FILES, SIZE};
use super::*;

const NAME: &str = "towline.log";

/// Present in a process that this test has started: where it writes.
const CHILD: &str = "TOWLINE_TEST_LOG_DIRECTORY";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn files_are_private_bounded_and_their_end_is_found() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("Towline");
    let mut files = LogFiles::open(&directory, NAME).unwrap();
    let event = format!("{}\n", "x".repeat(9999));
    for _ in 0..(SIZE / 10_000) * u64::from(OLD_FILES + 3) {
        files.write_all(event.as_bytes()).unwrap();
    }
    files.write_all(b"the last\n").unwrap();
    assert_eq!(mode(&directory), 0o700);
    let entries = entries(&directory);
    assert_eq!(entries.len(), OLD_FILES as usize + 2, "and the lock: {entries:?}");
    for entry in &entries {
        assert_eq!(mode(entry), 0o600, "{entry:?}");
        assert!(fs::metadata(entry).unwrap().len() <= SIZE + 20_000);
    }
    let last = last_lines(&directory, NAME, 20);
    assert_eq!(last.len(), 20);
    assert_eq!(last.last().unwrap(), &format!("[{}] the last", std::process::id()));
}

#[test]
fn where_somebody_elses_is_another_is_used() {
    let temporary = tempfile::tempdir().unwrap();
    let usual = temporary.path().join("Towline");
    assert_eq!(directory_below(temporary.path()), usual, "there is none yet");
    LogFiles::open(&usual, NAME).unwrap();
    assert_eq!(directory_below(temporary.path()), usual, "it is this user's");
    let user = nix::unistd::Uid::effective();
    if user.is_root() {
        std::os::unix::fs::chown(&usual, Some(65534), None).unwrap();
        let own = directory_below(temporary.path());
        assert_eq!(own, temporary.path().join("Towline-0"));
        LogFiles::open(&own, NAME).unwrap();
    }
}

#[test]
fn a_directory_that_is_a_link_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let link = home.path().join("Towline");
    std::os::unix::fs::symlink(home.path(), &link).unwrap();
    let refused = LogFiles::open(&link, NAME).map(drop).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
}

/// This test is started several times by itself, as processes that write at once.
#[test]
fn several_processes_write_whole_lines_and_lose_none() {
    const PROCESSES: usize = 5;
    const EVENTS: usize = 2000;
    const LIMIT: u64 = 64 * 1024;
    let write = |directory: &Path| {
        let mut files = LogFiles::with_limits(directory, NAME, LIMIT, 100).unwrap();
        for number in 0..EVENTS {
            files.write_all(format!("event {number} {}.\n", "x".repeat(60)).as_bytes()).unwrap();
        }
    };
    if let Some(directory) = std::env::var_os(CHILD) {
        return write(Path::new(&directory));
    }
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("Towline");
    let name = "logs::tests::several_processes_write_whole_lines_and_lose_none";
    let mut children: Vec<_> = (0..PROCESSES)
        .map(|_| {
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.args([name, "--exact", "--quiet"]).env(CHILD, &directory).spawn().unwrap()
        })
        .collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }

    let mut seen: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let paths = entries(&directory);
    let logs: Vec<&PathBuf> =
        paths.iter().filter(|path| !path.ends_with("towline.log.lock")).collect();
    // How many depends on how long whoever renames one is kept from it; the others write on meanwhile.
    assert!(logs.len() > 2, "it was begun anew: {}", logs.len());
    for path in logs {
        let text = fs::read_to_string(path).unwrap();
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [process, "event", number, rest] = words.as_slice() else { panic!("{line}") };
            assert_eq!(*rest, format!("{}.", "x".repeat(60)));
            let process = process.trim_matches(['[', ']']).parse().unwrap();
            seen.entry(process).or_default().push(number.parse().unwrap());
        }
    }
    assert_eq!(seen.len(), PROCESSES);
    for numbers in seen.values_mut() {
        numbers.sort_unstable();
        assert_eq!(*numbers, (0..EVENTS).collect::<Vec<_>>());
    }
}

#[test]
fn a_file_that_is_taken_away_is_made_again() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("Towline");
    let mut files = LogFiles::open(&directory, NAME).unwrap();
    files.write_all(b"one\n").unwrap();
    fs::remove_dir_all(&directory).unwrap();
    files.write_all(b"two\n").unwrap();
    assert_eq!(last_lines(&directory, NAME, 10).len(), 1);
    // Somebody puts a file where the directory was: there is nowhere to write, and the program goes on.
    fs::remove_dir_all(&directory).unwrap();
    fs::write(&directory, "").unwrap();
    files.write_all(b"three\n").unwrap();
    files.write_all(b"four\n").unwrap();
    fs::remove_file(&directory).unwrap();
    files.write_all(b"five\n").unwrap();
    let lines = last_lines(&directory, NAME, 10);
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains("2 events before this could not be written: "), "{}", lines[0]);
    assert!(lines[1].ends_with("five"));
}

/// The device that has no room, ever.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_nothing() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("Towline");
    let mut files = LogFiles::open(&directory, NAME).unwrap();
    let path = directory.join(NAME);
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    for _ in 0..3 {
        files.write_all(b"lost\n").unwrap();
    }
    fs::remove_file(&path).unwrap();
    files.write_all(b"kept\n").unwrap();
    let lines = last_lines(&directory, NAME, 10);
    assert!(lines[0].contains("3 events before this could not be written: No space"), "{lines:?}");
    assert!(lines[1].ends_with("kept"));
    assert!(try_writing(&directory).is_ok());
    assert!(try_writing(Path::new("/proc")).is_err());
}

#[test]
fn what_is_left_of_a_cut_line_is_not_told() {
    let home = tempfile::tempdir().unwrap();
    let size = usize::try_from(TAIL).unwrap();
    fs::write(home.path().join(NAME), format!("{}\nwhole\n", "secret".repeat(size))).unwrap();
    assert_eq!(last_lines(home.path(), NAME, 10), ["whole"]);
}
