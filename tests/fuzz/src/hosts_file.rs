//! The hosts file, as arbitrary as it can be, and blocks in it.

use std::net::IpAddr;

use towline_machine::hosts_file::{Block, HostsFile, Owner, apply, remove, remove_where};
use towline_machine::{HostName, HostsEntry, ProcessId, SessionName};

/// The most memory that an input may take, in bytes.
pub const MEMORY: usize = 4 << 20;

/// Stands between the entries of the two sessions, one a line, and the file.
const THEN: &[u8] = b"\n==\n";

/// Puts two sessions' blocks into a file and takes them out again. The input are the entries of the first, of the second, and the file, with `==` on a
/// line between; without such lines it is only a file.
pub fn check(input: &[u8]) {
    let (one, two) = (name("00000000000a"), name("00000000000b"));
    let (first, rest) = cut(input).unwrap_or((b"127.77.0.1 x", input));
    let (second, file) = cut(rest).unwrap_or((b"127.77.0.2 y", rest));
    let (first, second) = (entries(first), entries(second));
    // What stands there of these sessions already, whole or broken, counts as an earlier block of theirs.
    let clean = remove_where(file, |session| *session == one || *session == two);
    earlier(file, &one, &first);
    alone(&clean, &one, &first);
    together(&clean, (&one, &first), (&two, &second));
    let none = remove_where(file, |_| true);
    assert_eq!(HostsFile::parse(&none).blocks, []);
    assert_kept(file, &none, |line| lines(&remove_where(line, |_| true)).count() == 0);
}

/// A block in a file that has nothing of its session.
fn alone(file: &[u8], session: &SessionName, entries: &[HostsEntry]) {
    let with = apply(file, session, &owner(), entries);
    assert_eq!(shown(&remove(&with, session)), shown(file), "adding and removing is the identity");
    assert_eq!(shown(&apply(&with, session, &owner(), entries)), shown(&with), "twice is as once");
    assert_kept(&with, file, |line| is_of(line, session));
    let added: Vec<&[u8]> = lines(&with).filter(|line| is_of(line, session)).collect();
    let whole = entries.iter().any(|entry| !entry.names.is_empty());
    assert_eq!(added.is_empty(), !whole);
    let ending = ending(file);
    for line in &added {
        let last = std::ptr::eq(line.as_ptr_range().end, with.as_ptr_range().end);
        let closed = line.ends_with(ending) && (ending == b"\r\n" || !line.ends_with(b"\r\n"));
        assert!(closed || (last && !line.ends_with(b"\n")), "the file's ending: {}", shown(line));
        assert!(line.len() < 512, "musl reads no longer lines: {}", shown(line));
    }
    let (before, after) = (HostsFile::parse(file), HostsFile::parse(&with));
    let block = after.blocks.iter().find(|block| block.session == *session);
    let expected = Block {
        session: session.clone(),
        owner: Some(owner()),
        entries: joined(entries),
        whole: true,
    };
    assert_eq!(block, whole.then_some(&expected));
    assert_eq!(before.others, after.others, "others' lines are read as before");
    assert_eq!(after.blocks.len(), before.blocks.len() + usize::from(whole));
}

/// A file that may have a block of the session, or what is left of one.
fn earlier(file: &[u8], session: &SessionName, entries: &[HostsEntry]) {
    let with = apply(file, session, &owner(), entries);
    let without = remove(file, session);
    assert_kept(file, &without, |line| is_of(line, session));
    assert_kept(&with, &without, |line| is_of(line, session));
    assert_eq!(shown(&apply(&with, session, &owner(), entries)), shown(&with), "twice is as once");
    assert_eq!(shown(&remove(&with, session)), shown(&without), "changed and removed");
    assert_eq!(shown(&remove(&without, session)), shown(&without), "removed twice");
    let others = |bytes: &[u8]| -> Vec<(IpAddr, Vec<String>)> {
        let others = HostsFile::parse(bytes).others;
        others.into_iter().map(|line| (line.address, line.names)).collect()
    };
    assert_eq!(others(&with), others(file), "others' lines are read as before");
}

/// Whoever leaves first, the other's file is as if they had been alone.
fn together(
    file: &[u8],
    (one, first): (&SessionName, &[HostsEntry]),
    (two, second): (&SessionName, &[HostsEntry]),
) {
    let both = apply(&apply(file, one, &owner(), first), two, &owner(), second);
    let only_second = remove(&both, one);
    assert_eq!(shown(&only_second), shown(&apply(file, two, &owner(), second)));
    let only_first = remove(&both, two);
    assert_eq!(shown(&only_first), shown(&apply(file, one, &owner(), first)));
    assert_eq!(shown(&remove(&only_second, two)), shown(file));
    assert_eq!(shown(&remove(&only_first, one)), shown(file));
}

/// The lines of `whole` that are not `ours` are those of `rest`, byte for byte; only the ending of the last may be there or not.
fn assert_kept(whole: &[u8], rest: &[u8], ours: impl Fn(&[u8]) -> bool) {
    let theirs: Vec<u8> = lines(whole).filter(|line| !ours(line)).collect::<Vec<_>>().concat();
    let endings: [&[u8]; 3] = [b"", b"\n", b"\r\n"];
    let same = |a: &[u8], b: &[u8]| endings.iter().any(|ending| a.strip_suffix(*ending) == Some(b));
    assert!(
        same(&theirs, rest) || same(rest, &theirs),
        "{} became {}",
        shown(&theirs),
        shown(rest)
    );
}

/// Whether a line is one of the session's block.
pub(crate) fn is_of(line: &[u8], session: &SessionName) -> bool {
    remove(line, session).is_empty()
}

/// Somebody who writes blocks.
pub(crate) fn owner() -> Owner {
    Owner { uid: 1000, helper: ProcessId { pid: 42, started: 7 }, boot: "0a1b2c3d".to_owned() }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

/// How the file's first line ends.
fn ending(file: &[u8]) -> &'static [u8] {
    let first = lines(file).next().unwrap_or_default();
    if first.ends_with(b"\r\n") || first.ends_with(b"\r") { b"\r\n" } else { b"\n" }
}

/// As reading gives them: names of one address in following entries are together.
fn joined(entries: &[HostsEntry]) -> Vec<HostsEntry> {
    let mut joined: Vec<HostsEntry> = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.names.is_empty()) {
        match joined.last_mut() {
            Some(last) if last.address == entry.address => last.names.extend(entry.names.clone()),
            _ => joined.push(entry.clone()),
        }
    }
    joined
}

/// Lines of an address and its names; what is none of them is left out.
fn entries(text: &[u8]) -> Vec<HostsEntry> {
    let text = String::from_utf8_lossy(text);
    let entry = |line: &str| {
        let mut words = line.split(' ');
        let address = words.next()?.parse().ok()?;
        let names: Vec<HostName> = words.filter_map(|word| word.parse().ok()).collect();
        Some(HostsEntry { address, names })
    };
    text.lines().filter_map(entry).collect()
}

fn cut(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.windows(THEN.len()).position(|window| window == THEN)?;
    Some((&bytes[..at], &bytes[at + THEN.len()..]))
}

fn name(text: &str) -> SessionName {
    text.parse().expect("twelve digits")
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
