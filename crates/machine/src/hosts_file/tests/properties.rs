//! What holds for all files: arbitrary bytes, files that look like hosts files, and blocks that somebody has edited.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// Pieces that a file is made of: what matters to reading and writing lines, lines of ours among them.
const PIECES: [&[u8]; 22] = [
    b"\n",
    b"\r\n",
    b"\r",
    b"",
    b"\0",
    b"\xff\xfe",
    b" ",
    b"#",
    b"127.0.0.1 localhost",
    b"127.0.0.1\tlocalhost loopback # comment",
    b"fe80::1%lo0 x",
    b"# towline begin 00000000000c uid=1 helper=1:2@3 x",
    b"# towline begin 00000000000c",
    b"# towline begin ",
    b"127.77.0.9 x # towline 00000000000c",
    b"# towline end 00000000000c",
    b"# towline end 00000000000d",
    b"127.77.0.9 x # towline ",
    b" # towline 00000000000d",
    b"10.0.0.1 y # towline 00000000000a",
    b"# towline",
    b"127.77.0.9 y # towline 00000000000d\n",
];

fn file() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..200),
        vec(select(&PIECES[..]), 0..30).prop_map(|pieces| pieces.concat()),
        vec(prop_oneof![3 => select(&PIECES[..]).prop_map(<[u8]>::to_vec), 1 => vec(any::<u8>(), 0..9)], 0..20)
            .prop_map(|pieces| pieces.concat()),
    ]
}

pub(super) fn entries() -> impl Strategy<Value = Vec<HostsEntry>> {
    let name = "[a-z]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z][a-z0-9]{0,8}){0,4}"
        .prop_map(|name| name.parse::<HostName>().unwrap());
    let address = (0_u8..4, 1_u8..5).prop_map(|(c, d)| format!("127.77.{c}.{d}").parse().unwrap());
    vec(
        (address, vec(name, 1..20)).prop_map(|(address, names)| HostsEntry { address, names }),
        1..8,
    )
}

/// As reading gives them: names of one address in following entries are together.
fn together(entries: &[HostsEntry]) -> Vec<HostsEntry> {
    let mut together: Vec<HostsEntry> = Vec::new();
    for entry in entries {
        match together.last_mut() {
            Some(last) if last.address == entry.address => last.names.extend(entry.names.clone()),
            _ => together.push(entry.clone()),
        }
    }
    together
}

proptest! {
    #[test]
    fn adding_then_removing_is_the_identity(file in file(), entries in entries()) {
        let with = add(&file, ONE, &entries);
        prop_assert_eq!(remove(&with, &session(ONE)), file);
    }

    #[test]
    fn what_is_added_is_read_and_the_rest_is_read_as_before(file in file(), entries in entries()) {
        let (before, after) = (HostsFile::parse(&file), HostsFile::parse(&add(&file, ONE, &entries)));
        let block = after.blocks.iter().find(|block| block.session == session(ONE)).unwrap();
        prop_assert!(block.whole);
        prop_assert_eq!(&block.owner, &Some(owner()));
        prop_assert_eq!(&block.entries, &together(&entries));
        prop_assert_eq!(before.others, after.others);
        prop_assert_eq!(before.blocks.len() + 1, after.blocks.len());
    }

    #[test]
    fn setting_again_is_as_setting_once(file in file(), first in entries(), second in entries()) {
        let once = add(&file, ONE, &second);
        prop_assert_eq!(&add(&once, ONE, &second), &once);
        prop_assert_eq!(add(&add(&file, ONE, &first), ONE, &second), once);
    }

    #[test]
    fn sessions_commute(file in file(), one in entries(), two in entries()) {
        let both = add(&add(&file, ONE, &one), TWO, &two);
        // Whoever leaves first, the other's file is as if they had been alone.
        prop_assert_eq!(&remove(&both, &session(ONE)), &add(&file, TWO, &two));
        prop_assert_eq!(&remove(&both, &session(TWO)), &add(&file, ONE, &one));
        let removed = remove(&remove(&both, &session(ONE)), &session(TWO));
        prop_assert_eq!(&removed, &remove(&remove(&both, &session(TWO)), &session(ONE)));
        prop_assert_eq!(removed, file.clone());
        // Whoever comes first, both are there.
        let reverse = HostsFile::parse(&add(&add(&file, TWO, &two), ONE, &one));
        let sorted = |mut file: HostsFile| {
            file.blocks.sort_by(|a, b| a.session.cmp(&b.session));
            file.blocks
        };
        prop_assert_eq!(sorted(reverse), sorted(HostsFile::parse(&both)));
    }

    /// Whatever became of a block meanwhile: no line is lost that is not ours, and none of ours stays.
    #[test]
    fn lines_of_others_survive_a_block_that_was_edited(
        file in file(),
        entries in entries(),
        lost in any::<proptest::sample::Index>(),
        more in file(),
        place in any::<proptest::sample::Index>(),
    ) {
        let with = add(&file, ONE, &entries);
        let mut lines: Vec<&[u8]> = split_at(&with).collect();
        lines.remove(lost.index(lines.len()));
        let place = place.index(lines.len() + 1);
        // An addition in lines of its own, unless it comes after a last line that has no end.
        if place < lines.len() {
            lines.insert(place, b"\n");
        }
        lines.insert(place, &more);
        let edited = lines.concat();
        let after = remove(&edited, &session(ONE));
        let ours = |line: &&[u8]| lines::OurLine::parse(line).is_some_and(|ours| *ours.session() == session(ONE));
        prop_assert_eq!(split_at(&after).filter(ours).count(), 0);
        let theirs: Vec<&[u8]> = split_at(&edited).filter(|line| !ours(line)).collect();
        // All that may go is the end of the last line, which we had added.
        let ends: [&[u8]; 3] = [b"", b"\n", b"\r\n"];
        prop_assert!(ends.iter().any(|end| [&after[..], end].concat() == theirs.concat()));
    }
}
