#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::wipe;

fn inside(path: &str) -> Inside {
    Inside::parse(path).unwrap()
}

#[test]
fn no_link_is_followed() {
    let outer = tempfile::tempdir().unwrap();
    let outside = outer.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "x").unwrap();
    let root = outer.path().join("root");
    fs::create_dir(&root).unwrap();
    symlink(&outside, root.join("way-out")).unwrap();
    symlink(outside.join("secret"), root.join("file")).unwrap();
    let directory = Directory::open(&root).unwrap();
    assert!(directory.descend(&inside("way-out")).is_err());
    assert!(directory.descend_or_make(&inside("way-out/deeper")).is_err());
    assert!(directory.open_file(b"file").is_err());
    assert_eq!(directory.stat(b"file").unwrap().kind, FileKind::Link);
    assert!(directory.stat(b"../outside").is_err());
    assert!(directory.stage(b"../outside/new").is_err());

    // A file that takes a link's place leaves what the link led to.
    let mut staged = directory.stage(b"file").unwrap();
    staged.write_all(b"ours").unwrap();
    staged.commit(0o644).unwrap();
    assert_eq!(fs::read(outside.join("secret")).unwrap(), b"x");
    assert_eq!(fs::read(root.join("file")).unwrap(), b"ours");

    directory.remove(b"way-out").unwrap();
    assert!(outside.join("secret").exists());
}

#[test]
fn a_pipe_is_not_waited_for() {
    let root = tempfile::tempdir().unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, root.path().join("pipe"), FileType::Fifo, Mode::RUSR, 0)
        .unwrap();
    let directory = Directory::open(root.path()).unwrap();
    assert!(directory.open_file(b"pipe").is_err());
    assert_eq!(directory.stat(b"pipe").unwrap().kind, FileKind::Special);
}

#[test]
fn a_file_that_is_not_finished_leaves_what_was_there() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a"), "old").unwrap();
    let directory = Directory::open(root.path()).unwrap();
    let mut staged = directory.stage(b"a").unwrap();
    staged.write_all(b"new").unwrap();
    drop(staged);
    assert_eq!(fs::read(root.path().join("a")).unwrap(), b"old");
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    let (mut file, stat) = directory.open_file(b"a").unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    assert_eq!((text.as_str(), stat.size), ("old", 3));
}

#[test]
fn links_are_replaced_in_one_step() {
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::open(root.path()).unwrap();
    directory.put_link(b"l", b"a").unwrap();
    directory.put_link(b"l", b"b").unwrap();
    assert_eq!(directory.read_link(b"l").unwrap(), b"b");
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    directory.make_directory(b"d").unwrap();
    assert!(directory.put_link(b"d", b"b").is_err());
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
}

#[test]
fn what_is_read_only_or_unreadable_goes_too() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("root");
    fs::create_dir_all(root.join("a/b")).unwrap();
    fs::write(root.join("a/b/file"), "x").unwrap();
    fs::write(outer.path().join("stays"), "x").unwrap();
    symlink(outer.path().join("stays"), root.join("a/link")).unwrap();
    for (path, mode) in [("a/b/file", 0o400), ("a/b", 0o500), ("a", 0o000)] {
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    wipe(&root).unwrap();
    assert!(!root.exists() && outer.path().join("stays").exists());
    wipe(&root).unwrap();
    wipe(&root.join("not/there")).unwrap();
}
