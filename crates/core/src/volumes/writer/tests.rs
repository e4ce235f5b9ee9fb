#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use towline_wire::files::Version;

use super::*;

const VERSION: Version = Version { inode: 1, size: 1, changed: (1, 1) };

fn bytes(path: &[u8]) -> Bytes {
    Bytes::from(path.to_vec())
}

struct Scene {
    outer: tempfile::TempDir,
    writer: Writer,
}

impl Scene {
    fn new(only: Option<&[u8]>) -> Self {
        let outer = tempfile::tempdir().unwrap();
        fs::create_dir(outer.path().join("volume")).unwrap();
        fs::write(outer.path().join("shadow"), "secret").unwrap();
        let at = outer.path().join("volume");
        let top = Directory::open(&at).unwrap();
        Self { writer: Writer::new(top, &at, "/data", only.map(<[u8]>::to_vec)), outer }
    }

    fn file(&mut self, path: &[u8], text: &str) {
        let item = Item::File { path: bytes(path), mode: 0o640, version: VERSION };
        self.writer.take(Record::Item(item)).unwrap();
        self.writer.take(Record::Data(text.as_bytes().to_vec())).unwrap();
        self.writer.take(Record::Item(Item::End { broken: None })).unwrap();
    }

    fn link(&mut self, path: &[u8], target: &[u8]) {
        let item = Item::Link { path: bytes(path), target: bytes(target) };
        self.writer.take(Record::Item(item)).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.outer.path().join(path)).unwrap()
    }

    fn skipped(&self) -> Vec<&str> {
        self.writer.done.skipped.iter().map(|skipped| skipped.path.as_str()).collect()
    }
}

#[test]
fn files_directories_and_links_come() {
    let mut scene = Scene::new(None);
    let item = Item::Directory { path: bytes(b"d"), mode: 0o500 };
    scene.writer.take(Record::Item(item)).unwrap();
    scene.file(b"d/a\nb\xff", "one");
    scene.file(b"deep/er/c", "two");
    scene.link(b"d/l", b"../deep/er/c");
    scene.link(b"absolute", b"/data/deep/er/c");
    scene.link(b"d/absolute", b"/data/d");
    let volume = scene.outer.path().join("volume");
    assert_eq!(scene.read("volume/deep/er/c"), "two");
    assert_eq!(scene.read("volume/d/l"), "two");
    assert_eq!(scene.read("volume/absolute"), "two");
    assert_eq!(fs::read_link(volume.join("d/absolute")).unwrap().to_str(), Some("../d"));
    let mode = |path: &str| fs::metadata(volume.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("d"), mode("deep/er/c")), (0o700, 0o640));
    let done = &scene.writer.done;
    assert_eq!((done.files, done.bytes, done.links, done.skipped_count), (2, 6, 3, 0));
    assert_eq!(scene.writer.copies.len(), 2);
}

#[test]
fn nothing_leaves_the_directory() {
    let mut scene = Scene::new(None);
    for path in ["../shadow", "/etc/shadow", "d/../../shadow", "", ".", "a\0b"] {
        scene.file(path.as_bytes(), "ours");
        scene.link(path.as_bytes(), b"x");
    }
    for target in
        ["/etc/shadow", "../shadow", "..", "d/../../shadow", "", "/data/../shadow", "/database/x"]
    {
        scene.link(b"link", target.as_bytes());
    }
    assert_eq!(scene.writer.done.skipped_count, 12 + 7);
    // A link that the program has put there leads a later file nowhere.
    let volume = scene.outer.path().join("volume");
    symlink(scene.outer.path(), volume.join("way-out")).unwrap();
    symlink(scene.outer.path().join("shadow"), volume.join("file")).unwrap();
    scene.file(b"way-out/shadow", "ours");
    scene.file(b"file", "ours");
    assert_eq!(scene.read("shadow"), "secret");
    assert_eq!(scene.read("volume/file"), "ours");
    assert_eq!(fs::read_dir(scene.outer.path()).unwrap().count(), 2);
    assert_eq!(fs::read_dir(&volume).unwrap().count(), 2);
}

#[test]
fn what_is_broken_or_in_the_way_is_skipped_and_the_rest_comes() {
    let mut scene = Scene::new(None);
    scene.file(b"a", "old");
    let item = Item::File { path: bytes(b"a"), mode: 0o600, version: VERSION };
    scene.writer.take(Record::Item(item)).unwrap();
    scene.writer.take(Record::Data(b"new".to_vec())).unwrap();
    let broken = Some("it became shorter".to_owned());
    scene.writer.take(Record::Item(Item::End { broken })).unwrap();
    assert_eq!(scene.read("volume/a"), "old");
    fs::create_dir(scene.outer.path().join("volume/b")).unwrap();
    scene.file(b"b", "x");
    scene.file(b"a/below-a-file", "x");
    scene.file(b"c", "x");
    assert_eq!(scene.skipped(), ["a", "b", "a/below-a-file"]);
    assert_eq!(scene.read("volume/c"), "x");
    assert_eq!(fs::read_dir(scene.outer.path().join("volume")).unwrap().count(), 3);
}

#[test]
fn records_without_sense_do_nothing() {
    let mut scene = Scene::new(None);
    scene.writer.take(Record::Data(b"x".to_vec())).unwrap();
    scene.writer.take(Record::Item(Item::End { broken: None })).unwrap();
    scene.writer.take(Record::Item(Item::Commit)).unwrap();
    assert_eq!(scene.writer.done, Fetched::default());
}

#[test]
fn a_volume_of_one_file_is_that_file_only() {
    let mut scene = Scene::new(Some(b"app.yaml"));
    scene.file(b"", "a: 1");
    scene.file(b"other", "x");
    scene.link(b"", b"other");
    assert_eq!(scene.read("volume/app.yaml"), "a: 1");
    assert_eq!(fs::read_dir(scene.outer.path().join("volume")).unwrap().count(), 1);
}
