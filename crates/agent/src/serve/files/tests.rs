#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use towline_wire::files::record::{self, Record};
use towline_wire::files::{Expect, Limit};

use super::*;

const LIMIT: Limit = Limit { bytes: 1 << 20, entries: 1000 };

/// A volume with all that somebody could put into one.
fn hostile() -> tempfile::TempDir {
    let outer = tempfile::tempdir().unwrap();
    fs::write(outer.path().join("shadow"), "secret").unwrap();
    let volume = outer.path().join("volume");
    fs::create_dir_all(volume.join("d/e")).unwrap();
    fs::create_dir_all(volume.join("inner/x")).unwrap();
    fs::write(volume.join("d/e/a\nb"), "text").unwrap();
    fs::write(volume.join("large"), vec![b'x'; 600 * 1024]).unwrap();
    symlink("/etc/shadow", volume.join("link")).unwrap();
    symlink("..", volume.join("up")).unwrap();
    fs::hard_link(outer.path().join("shadow"), volume.join("hard")).unwrap();
    std::os::unix::net::UnixListener::bind(volume.join("socket")).unwrap();
    outer
}

fn opened(outer: &Path) -> Opened {
    Opened::of(&outer.join("volume"), vec![Inside::parse("inner").unwrap()])
}

fn fetched(opened: &Opened, starts: &[&str], limit: Limit) -> (Vec<Item>, usize, Option<Refusal>) {
    let (send, mut made) = mpsc::channel(1000);
    let starts: Vec<Inside> = starts.iter().map(|start| Inside::parse(*start).unwrap()).collect();
    let mut sender = fetch::Sender::new(&send, limit);
    walk::walk(opened, &starts, &mut |found| sender.take(&found)).unwrap();
    let refusal = sender.refusal;
    drop(send);
    let mut all = Vec::new();
    while let Some(bytes) = made.blocking_recv() {
        all.extend(bytes);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (mut items, mut bytes, mut io) = (Vec::new(), 0, all.as_slice());
    while !io.is_empty() {
        match runtime.block_on(record::read(&mut io)).unwrap() {
            Record::Data(data) => bytes += data.len(),
            Record::Item(item) => items.push(item),
        }
    }
    (items, bytes, refusal)
}

fn paths(items: &[Item]) -> Vec<String> {
    let path = |item: &Item| match item {
        Item::Directory { path, .. } => Some(("d", path.clone())),
        Item::File { path, .. } => Some(("f", path.clone())),
        Item::Link { path, .. } => Some(("l", path.clone())),
        Item::Skipped { path, .. } => Some(("s", path.clone())),
        _ => None,
    };
    let paths = items.iter().filter_map(path);
    let mut paths: Vec<String> = paths
        .map(|(kind, path)| format!("{kind} {}", String::from_utf8_lossy(&Vec::from(path))))
        .collect();
    paths.sort();
    paths
}

#[test]
fn links_are_told_not_followed_and_what_is_special_is_skipped() {
    let outer = hostile();
    let (items, bytes, refusal) = fetched(&opened(outer.path()), &[""], LIMIT);
    let expected =
        ["d d", "d d/e", "f d/e/a\nb", "f hard", "f large", "l link", "l up", "s socket"];
    assert_eq!(paths(&items), expected);
    assert_eq!((bytes, refusal), (4 + 6 + 600 * 1024, None));
}

#[test]
fn a_directory_comes_before_what_is_in_it_and_nothing_twice() {
    let outer = hostile();
    let (items, ..) = fetched(&opened(outer.path()), &["d", "d/e", "d/e/a\nb"], LIMIT);
    let told: Vec<&Item> = items.iter().filter(|item| !matches!(item, Item::End { .. })).collect();
    assert!(matches!(
        told.as_slice(),
        [Item::Directory { .. }, Item::Directory { .. }, Item::File { .. }]
    ));
}

#[test]
fn what_is_above_the_limit_is_refused() {
    let outer = hostile();
    for limit in [Limit { bytes: 1000, ..LIMIT }, Limit { entries: 3, ..LIMIT }] {
        let (_, bytes, refusal) = fetched(&opened(outer.path()), &[""], limit);
        assert_eq!(refusal.map(|refusal| refusal.kind), Some(RefusalKind::TooLarge));
        assert!(bytes as u64 <= limit.bytes);
    }
}

#[test]
fn a_path_through_a_link_is_not_found() {
    let outer = hostile();
    for start in ["up/shadow", "link/x", "nothing"] {
        let start = [Inside::parse(start).unwrap()];
        let walked = walk::walk(&opened(outer.path()), &start, &mut |_| panic!("it was followed"));
        assert_eq!(walked.unwrap_err().kind, RefusalKind::NotFound);
    }
}

fn put(outer: &Path, path: &str, expect: Expect, text: &str) -> Result<Version, Refusal> {
    let path = Inside::parse(path).unwrap();
    let place = put::Place::within(opened(outer), path, text.len() as u64, expect)?;
    let (send, bytes) = mpsc::channel(2);
    send.blocking_send(text.as_bytes().to_vec()).unwrap();
    send.blocking_send(Vec::new()).unwrap();
    place.write(bytes)
}

#[test]
fn only_what_is_expected_is_overwritten() {
    let outer = hostile();
    let read = |path: &str| fs::read_to_string(outer.path().join("volume").join(path)).unwrap();
    let conflict = |done: Result<Version, Refusal>| {
        assert_eq!(done.unwrap_err().kind, RefusalKind::Conflict);
    };
    let new = put(outer.path(), "new/file", Expect::Absent, "1").unwrap();
    assert_eq!(read("new/file"), "1");
    conflict(put(outer.path(), "new/file", Expect::Absent, "2"));
    let newer = put(outer.path(), "new/file", Expect::Same { version: new }, "two").unwrap();
    conflict(put(outer.path(), "new/file", Expect::Same { version: new }, "3"));
    assert_eq!((read("new/file").as_str(), newer.size), ("two", 3));
    put(outer.path(), "new/file", Expect::Anything, "4").unwrap();
    fs::remove_file(outer.path().join("volume/new/file")).unwrap();
    conflict(put(outer.path(), "new/file", Expect::Same { version: newer }, "5"));
    assert_eq!(fs::read_dir(outer.path().join("volume/new")).unwrap().count(), 0);
}

#[test]
fn a_link_is_no_place_for_a_file_and_a_hard_link_keeps_what_is_outside() {
    let outer = hostile();
    for path in ["link", "d", "socket"] {
        let done = put(outer.path(), path, Expect::Anything, "x");
        assert_eq!(done.unwrap_err().kind, RefusalKind::Conflict, "{path}");
    }
    assert!(put(outer.path(), "up/new", Expect::Anything, "x").is_err());
    let other = put(outer.path(), "inner/x/y", Expect::Anything, "x");
    assert_eq!(other.unwrap_err().kind, RefusalKind::NotAVolume);
    put(outer.path(), "hard", Expect::Anything, "ours").unwrap();
    assert_eq!(fs::read_to_string(outer.path().join("shadow")).unwrap(), "secret");
}

#[test]
fn a_file_that_is_cut_off_is_not_written() {
    let outer = hostile();
    let path = Inside::parse("d/new").unwrap();
    let place = put::Place::within(opened(outer.path()), path, 10, Expect::Absent).unwrap();
    let (send, bytes) = mpsc::channel(2);
    send.blocking_send(b"half".to_vec()).unwrap();
    drop(send);
    assert!(place.write(bytes).is_err());
    assert_eq!(fs::read_dir(outer.path().join("volume/d")).unwrap().count(), 1);
}

#[test]
fn of_more_entries_than_are_shown_directories_come_first() {
    let outer = hostile();
    let volume = outer.path().join("volume");
    for number in 0..50 {
        fs::write(volume.join(format!("a{number:02}")), "").unwrap();
    }
    fs::create_dir(volume.join("z")).unwrap();
    let listed = |most| {
        let deadline = Instant::now() + Duration::from_secs(600);
        let opened = opened(outer.path());
        let listed = list::of(&opened, &Inside::top(), most, deadline).unwrap();
        let names = listed.entries.into_iter().map(|entry| Vec::from(entry.name));
        let names: Vec<String> = names.map(|name| String::from_utf8(name).unwrap()).collect();
        (names, listed.complete)
    };
    let few = ["a00", "a01", "d", "inner", "z"].map(str::to_owned);
    assert_eq!(listed(5), (few.to_vec(), false));
    let (all, complete) = listed(1_000);
    assert_eq!((all.len(), complete), (58, true));
    assert!(all.is_sorted());
}

#[test]
fn directories_count_before_they_are_read() {
    let outer = hostile();
    let many = outer.path().join("volume/many");
    for number in 0..200 {
        fs::create_dir_all(many.join(number.to_string())).unwrap();
    }
    let mut seen = 0;
    let walked = walk::walk(&opened(outer.path()), &[Inside::parse("many").unwrap()], &mut |_| {
        seen += 1;
        if seen == 100 {
            return std::ops::ControlFlow::Break(());
        }
        std::ops::ControlFlow::Continue(())
    });
    assert!(walked.is_ok() && seen == 100);
    let limit = Limit { entries: 100, ..LIMIT };
    let (items, _, refusal) = fetched(&opened(outer.path()), &["many"], limit);
    assert_eq!((items.len(), refusal.unwrap().kind), (100, RefusalKind::TooLarge));
}
