#![allow(clippy::unwrap_used)]
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Instant;

use super::*;

const GENEROUS: Duration = Duration::from_secs(20);

/// A program that stands in for a shell; `$4` is the line that it is given.
fn shell(directory: &Path, script: &str) -> OsString {
    let file = directory.join("shell");
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file.into_os_string()
}

#[tokio::test]
async fn the_path_is_found_among_greetings() {
    let home = tempfile::tempdir().unwrap();
    let shell = shell(
        home.path(),
        "echo 'PATH=/wrong'; echo Welcome; PATH=/opt/sdk/bin:/usr/bin; export PATH; eval \"$4\"; echo Bye",
    );
    assert_eq!(ask(&shell, GENEROUS).await, Answer::Path("/opt/sdk/bin:/usr/bin".into()));
}

#[tokio::test]
async fn a_real_shell_answers() {
    let answer = ask(OsStr::new("/bin/bash"), GENEROUS).await;
    assert!(matches!(answer, Answer::Path(_)), "{answer:?}");
}

#[tokio::test]
async fn a_shell_that_hangs_is_ended_with_all_that_it_started() {
    let home = tempfile::tempdir().unwrap();
    let left = home.path().join("child");
    let script = format!("sleep 600 & echo $! > {}; wait", left.display());
    let begun = Instant::now();
    let answer = ask(&shell(home.path(), &script), Duration::from_millis(500)).await;
    assert!(matches!(answer, Answer::Silent(_)), "{answer:?}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    let child = fs::read_to_string(left).unwrap();
    let state = || fs::read_to_string(format!("/proc/{}/stat", child.trim()));
    // Ended, or at least dead and waiting for whoever inherits it.
    let gone = || state().map_or(true, |stat| stat.rsplit_once(')').unwrap().1.starts_with(" Z"));
    let deadline = Instant::now() + GENEROUS;
    while !gone() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(gone(), "{:?}", state());
}

#[tokio::test]
async fn what_a_start_up_file_leaves_in_the_background_is_not_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let shell = shell(home.path(), "sleep 600 & eval \"$4\"");
    let begun = Instant::now();
    assert!(matches!(ask(&shell, GENEROUS).await, Answer::Path(_)));
    assert!(begun.elapsed() < GENEROUS);
}

#[tokio::test]
async fn a_shell_that_fails_or_is_not_there_leaves_the_path_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    assert!(matches!(ask(&shell(home.path(), "exit 1"), GENEROUS).await, Answer::Silent(_)));
    assert!(matches!(ask(OsStr::new("/does/not/exist"), GENEROUS).await, Answer::Silent(_)));
    let path = SearchPath::begin(Some("/a:/b".into()), LoginShell::Ignored);
    assert_eq!(path.get().await, Some("/a:/b".into()));
}

#[test]
fn the_own_directories_come_first_and_none_twice() {
    assert_eq!(
        join(OsStr::new("/usr/bin:/bin"), OsStr::new("/sdk:/bin::/usr/bin")),
        "/usr/bin:/bin:/sdk"
    );
}
