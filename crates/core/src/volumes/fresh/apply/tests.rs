#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use towline_wire::files::{Mount, Version};
use towline_workload::{Kind, WorkloadRef};

use super::*;
use crate::request::Volumes;
use crate::session::board::Board;
use crate::session::chronicle::Chronicle;
use crate::volumes::{Of, PlannedVolume};

const MOUNT: &str = "/etc/shop";

struct Scene {
    home: tempfile::TempDir,
    shelf: Arc<Shelf>,
    applier: Applier,
}

impl Scene {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let workload =
            WorkloadRef { kind: Kind::Deployment, namespace: "shop".into(), name: "orders".into() };
        let chronicle = Chronicle::new(towline_wire::SessionId::generate(), workload);
        let spec = serde_json::json!({
            "containers": [{"name": "c", "volumeMounts": [{"name": "v", "mountPath": MOUNT}]}],
            "volumes": [{"name": "v", "configMap": {"name": "shop"}}],
        });
        let planned = PlannedVolume::of_spec(&spec, "c", Of::Pod, Volumes::Small);
        let shelf = Arc::new(Shelf::new(Arc::new(Board::new()), Arc::new(chronicle), &planned));
        let mount = Mount {
            path: Bytes::Text(MOUNT.to_owned()),
            read_only: true,
            file_system: "tmpfs".to_owned(),
            directory: true,
        };
        shelf.open(home.path(), planned, &[mount]).unwrap();
        Self { home, applier: Applier::new(shelf.clone()), shelf }
    }

    fn item(&mut self, item: Item) {
        self.applier.take(Record::Item(item));
    }

    fn begin(&mut self, files: &[(&str, &str)]) {
        let mount = Bytes::Text(MOUNT.to_owned());
        self.item(Item::Begin { mount, file: false, atomic: true });
        for (path, text) in files {
            let version = Version { inode: 1, size: 1, changed: (1, 1) };
            self.item(Item::File { path: Bytes::Text((*path).to_owned()), mode: 0o644, version });
            self.applier.take(Record::Data(text.as_bytes().to_vec()));
            self.item(Item::End { broken: None });
        }
    }

    fn volume(&self) -> std::path::PathBuf {
        self.home.path().join("root/etc/shop")
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.volume()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.volume().join(path)).unwrap()
    }
}

#[test]
fn files_are_swapped_as_the_kubelet_does_it() {
    let mut scene = Scene::new();
    scene.begin(&[("a", "1"), ("sub/b", "2")]);
    assert!(fs::symlink_metadata(scene.volume().join("a")).is_err(), "before all is here");
    scene.item(Item::Commit);
    assert_eq!((scene.read("a"), scene.read("sub/b")), ("1".to_owned(), "2".to_owned()));
    let link = |name: &str| fs::read_link(scene.volume().join(name)).unwrap();
    assert_eq!(link("a"), Path::new("..data/a"));
    assert_eq!(link("sub"), Path::new("..data/sub"));
    let first = link("..data");
    assert!(first.to_str().unwrap().starts_with("..20"), "{first:?}");
    let volumes = scene.shelf.volumes();
    assert_eq!((volumes[0].files, volumes[0].bytes), (2, 2));
    assert!(volumes[0].fresh_at.is_some() && volumes[0].planned.read_only);

    scene.begin(&[("a", "one"), ("c", "3")]);
    scene.item(Item::Commit);
    let second = fs::read_link(scene.volume().join("..data")).unwrap();
    assert_ne!(first, second);
    let expected = [second.to_str().unwrap(), "..data", "a", "c"];
    assert_eq!(scene.names(), expected);
    assert_eq!(scene.read("a"), "one");

    // The same once more, as after a lost connection, changes nothing.
    scene.begin(&[("a", "one"), ("c", "3")]);
    scene.item(Item::Commit);
    assert_eq!(scene.names(), expected);
}

#[test]
fn what_is_not_whole_changes_nothing() {
    let mut scene = Scene::new();
    scene.begin(&[("a", "1")]);
    scene.item(Item::Commit);
    let before = scene.names();
    scene.begin(&[("a", "2")]);
    scene.item(Item::Discard { reason: None });
    scene.begin(&[("a", "3")]);
    scene.applier.cut_off();
    scene.begin(&[("a", "4")]);
    scene.item(Item::Discard { reason: Some("too large".to_owned()) });
    assert_eq!((scene.names(), scene.read("a")), (before, "1".to_owned()));
    let volume = &scene.shelf.volumes()[0];
    assert!(volume.error.as_ref().unwrap().message.contains("too large"));
}

#[test]
fn another_volumes_place_and_the_programs_files_stay() {
    let mut scene = Scene::new();
    fs::create_dir(scene.volume().join("inner")).unwrap();
    fs::write(scene.volume().join("mine"), "x").unwrap();
    for text in ["1", "2"] {
        scene.begin(&[("a", text)]);
        scene.item(Item::Commit);
    }
    assert_eq!(scene.names()[1..], ["..data", "a", "inner", "mine"]);
}

#[test]
fn a_volume_that_nobody_asked_for_is_not_written() {
    let mut scene = Scene::new();
    let mount = Bytes::Text("/etc/../../x".to_owned());
    scene.item(Item::Begin { mount, file: false, atomic: true });
    scene.item(Item::Commit);
    assert_eq!(fs::read_dir(scene.home.path()).unwrap().count(), 1);
}
