#![allow(clippy::unwrap_used)]

mod properties;

use super::*;
use crate::{ProcessId, SessionName};

pub(super) fn session(text: &str) -> SessionName {
    text.parse().unwrap()
}

pub(super) fn owner() -> Owner {
    Owner { uid: 1000, helper: ProcessId { pid: 42, started: 123_456 }, boot: "0a1b2c3d".into() }
}

pub(super) fn entry(address: &str, names: &[&str]) -> HostsEntry {
    let names = names.iter().map(|name| name.parse().unwrap()).collect();
    HostsEntry { address: address.parse().unwrap(), names }
}

const ONE: &str = "00000000000a";
const TWO: &str = "00000000000b";

fn add(bytes: &[u8], of: &str, entries: &[HostsEntry]) -> Vec<u8> {
    apply(bytes, &session(of), &owner(), entries)
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_block_says_whose_it_is_in_every_line() {
    let entries =
        [entry("127.77.1.2", &["catalogue", "catalogue.shop"]), entry("::1", &["orders"])];
    let with = add(b"127.0.0.1 localhost\n", ONE, &entries);
    assert_eq!(
        text(with.clone()),
        "127.0.0.1 localhost\n\
         # towline begin 00000000000a uid=1000 helper=42:123456@0a1b2c3d (removed when the session ends)\n\
         127.77.1.2 catalogue catalogue.shop # towline 00000000000a\n\
         ::1 orders # towline 00000000000a\n\
         # towline end 00000000000a\n"
    );
    let file = HostsFile::parse(&with);
    let block = Block {
        session: session(ONE),
        owner: Some(owner()),
        entries: entries.to_vec(),
        whole: true,
    };
    assert_eq!(file.blocks, [block]);
    let localhost = OtherLine {
        number: 1,
        address: "127.0.0.1".parse().unwrap(),
        names: vec!["localhost".to_owned()],
    };
    assert_eq!(file.others, [localhost]);
    assert_eq!(file.addresses().count(), 3);
}

#[test]
fn a_block_changes_in_its_place_and_another_stays() {
    let one = add(b"a\n", ONE, &[entry("127.77.0.1", &["x"])]);
    let both = add(&one, TWO, &[entry("127.77.0.2", &["y"])]);
    let changed = add(&both, ONE, &[entry("127.77.0.3", &["z"])]);
    let names: Vec<_> =
        HostsFile::parse(&changed).blocks.iter().map(|block| block.entries[0].clone()).collect();
    assert_eq!(names, [entry("127.77.0.3", &["z"]), entry("127.77.0.2", &["y"])]);
    // Empty is removed, and so is an address without names.
    assert_eq!(add(&changed, ONE, &[]), add(b"a\n", TWO, &[entry("127.77.0.2", &["y"])]));
    assert_eq!(add(b"a\n", ONE, &[entry("127.0.0.1", &[])]), b"a\n");
}

#[test]
fn line_endings_are_the_files() {
    let with = add(b"a\r\nb\r\n", ONE, &[entry("127.77.0.1", &["x"])]);
    assert!(split_at(&with).all(|line| line.ends_with(b"\r\n")), "{}", text(with));
    let with = add(b"a", ONE, &[entry("127.77.0.1", &["x"])]);
    assert!(
        with.starts_with(b"a\n# towline begin") && with.ends_with(b"# towline end 00000000000a")
    );
}

fn split_at(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

#[test]
fn a_block_without_its_end_takes_nothing_with_it() {
    let whole = text(add(b"a\n", ONE, &[entry("127.77.0.1", &["x"])]));
    let half = whole.replace("# towline end 00000000000a\n", "") + "10.0.0.1 theirs\n";
    assert!(!HostsFile::parse(half.as_bytes()).blocks[0].whole);
    assert_eq!(text(remove(half.as_bytes(), &session(ONE))), "a\n10.0.0.1 theirs\n");
    // Without its beginning, nobody knows whose it is: it counts as left over.
    let (_, tail) = whole.split_once("session ends)\n").unwrap();
    let file = HostsFile::parse(tail.as_bytes());
    assert!(!file.blocks[0].whole && file.blocks[0].owner.is_none());
    assert_eq!(file.stale().count(), 1);
    assert_eq!(remove(tail.as_bytes(), &session(ONE)), b"");
}

#[test]
fn what_somebody_wrote_between_our_lines_stays() {
    let with = text(add(b"a\n", ONE, &[entry("127.77.0.1", &["x"])]));
    let with = with.replace("# towline end", "10.0.0.1 theirs\n# towline end");
    assert!(!HostsFile::parse(with.as_bytes()).blocks[0].whole);
    assert_eq!(text(remove(with.as_bytes(), &session(ONE))), "a\n10.0.0.1 theirs\n");
    let changed = text(add(with.as_bytes(), ONE, &[entry("127.77.0.2", &["y"])]));
    assert!(changed.contains("\n127.77.0.2 y # towline") && changed.ends_with("10.0.0.1 theirs\n"));
}

#[test]
fn lines_that_only_look_like_ours_are_somebody_elses() {
    let lines = [
        "10.0.0.1 x # towline 00000000000a\n",
        "127.0.0.1 # towline 00000000000a\n",
        "127.0.0.1 not_a_name # towline 00000000000a\n",
        "127.0.0.1 x # towline 00000000000A\n",
        "127.0.0.1 x # towline 00000000000a and more\n",
        " # towline begin 00000000000a uid=1\n",
        "# towline end 00000000000a \n",
        "#towline end 00000000000a\n",
    ];
    let file = lines.concat();
    assert_eq!(text(remove(file.as_bytes(), &session(ONE))), file);
    assert_eq!(HostsFile::parse(file.as_bytes()).blocks, []);
}

#[test]
fn lines_are_no_longer_than_resolvers_read() {
    let long = format!("{0}.{0}.{0}.example", "a".repeat(63));
    let names: Vec<String> = (0..9).map(|number| format!("n{number}.{long}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let entries = [entry("127.77.0.1", &names), entry("127.77.0.2", &["a"; 20])];
    let with = add(b"", ONE, &entries);
    for line in split_at(&with) {
        assert!(line.len() < 512 && line.split(|byte| *byte == b' ').count() <= 12);
    }
    assert_eq!(HostsFile::parse(&with).blocks[0].entries, entries);
}

#[test]
fn a_block_is_stale_when_its_helper_is_gone() {
    let own = Owner::own(0).unwrap();
    let with = apply(b"", &session(ONE), &own, &[entry("127.77.0.1", &["x"])]);
    assert_eq!(HostsFile::parse(&with).stale().count(), 0);
    let mut before = own.clone();
    before.boot = "00000000".to_owned();
    let with = apply(b"", &session(ONE), &before, &[entry("127.77.0.1", &["x"])]);
    assert_eq!(HostsFile::parse(&with).stale().count(), 1, "a block of before the boot");
    let mut another = own;
    another.helper.started += 1;
    let with = apply(b"", &session(ONE), &another, &[entry("127.77.0.1", &["x"])]);
    assert_eq!(HostsFile::parse(&with).stale().count(), 1, "the number is another process's");
}

#[test]
fn a_missing_file_is_empty_and_a_huge_one_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hosts");
    assert_eq!(HostsFile::look_at(&path).unwrap(), HostsFile::default());
    std::fs::File::create(&path).unwrap().set_len(LIMIT + 1).unwrap();
    assert!(matches!(HostsFile::look_at(&path), Err(HostsFileError::TooLarge { .. })));
}
