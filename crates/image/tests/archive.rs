//! Images are read back as an importer reads them: by path, with every digest checked.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    os::unix::fs::{PermissionsExt, symlink},
};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use towline_image::{
    Architecture, Compression, DEFAULT_REFERENCE, Error, Image, ImageConfig, Layer, LayerFile,
    agent_image, index, write_archive,
};

type Files = BTreeMap<String, Vec<u8>>;

/// Everything of a tar: path, (kind, mode, uid, gid, mtime, link), contents.
fn entries(tar: impl Read) -> BTreeMap<String, (Value, Vec<u8>)> {
    let mut archive = tar::Archive::new(tar);
    let mut found = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let header = entry.header();
        let about = json!({
            "kind": format!("{:?}", header.entry_type()), "mode": header.mode().unwrap(), "mtime": header.mtime().unwrap(),
            "owner": [header.uid().unwrap(), header.gid().unwrap()],
            "link": entry.link_name().unwrap().map(|link| link.to_str().unwrap().to_owned()),
        });
        let path = entry.path().unwrap().to_str().unwrap().trim_end_matches('/').to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        assert!(found.insert(path.clone(), (about, bytes)).is_none(), "{path} is there twice");
    }
    found
}

fn files(tar: impl Read) -> Files {
    entries(tar).into_iter().map(|(path, (_, bytes))| (path, bytes)).collect()
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// The blob that a descriptor names, its digest and size checked.
fn blob<'a>(files: &'a Files, descriptor: &Value) -> &'a [u8] {
    let digest = descriptor["digest"].as_str().unwrap();
    let bytes = &files[&format!("blobs/{}", digest.replace(':', "/"))];
    assert_eq!(sha256(bytes), digest);
    assert_eq!(bytes.len() as u64, descriptor["size"].as_u64().unwrap());
    bytes
}

fn parse(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn config() -> ImageConfig {
    ImageConfig {
        reference: "registry.test:5000/shop/orders:1".to_owned(),
        entrypoint: vec!["/bin/run".to_owned()],
        command: vec!["--all".to_owned()],
        env: vec!["A=b c".to_owned()],
        working_dir: Some("/srv".to_owned()),
        user: Some("1000:1000".to_owned()),
        labels: BTreeMap::from([("towline.dev/kind".to_owned(), "sample".to_owned())]),
        ..ImageConfig::default()
    }
}

fn layer(compression: Compression) -> Layer {
    let run = LayerFile { path: "bin/run", mode: 0o755, bytes: b"#!/bin/sh\n" };
    let conf = LayerFile { path: "etc/run/run.conf", mode: 0o640, bytes: b"a=b" };
    Layer::from_files(&[conf, run], compression).unwrap()
}

#[test]
fn an_archive_is_an_oci_layout_and_a_docker_archive() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image.tar");
    let layers = [layer(Compression::Gzip), layer(Compression::None)];
    write_archive(&config(), &layers, &path).unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no partial file stays behind");
    let files = files(fs::File::open(&path).unwrap());

    assert_eq!(parse(&files["oci-layout"]), json!({"imageLayoutVersion": "1.0.0"}));
    let index = parse(&files["index.json"]);
    let entry = &index["manifests"][0];
    assert_eq!(
        entry["annotations"]["io.containerd.image.name"],
        "registry.test:5000/shop/orders:1"
    );
    assert_eq!(entry["annotations"]["org.opencontainers.image.ref.name"], "1");
    assert_eq!(entry["platform"], json!({"architecture": "amd64", "os": "linux"}));

    let manifest = parse(blob(&files, entry));
    let image = parse(blob(&files, &manifest["config"]));
    assert_eq!(
        image["config"],
        json!({"User": "1000:1000", "Env": ["A=b c"], "Entrypoint": ["/bin/run"], "Cmd": ["--all"], "WorkingDir": "/srv",
               "Labels": {"towline.dev/kind": "sample"}})
    );
    let gzipped = blob(&files, &manifest["layers"][0]);
    let plain = blob(&files, &manifest["layers"][1]);
    let mut unzipped = Vec::new();
    flate2::read::GzDecoder::new(gzipped).read_to_end(&mut unzipped).unwrap();
    assert_eq!(unzipped, plain);
    assert_eq!(
        image["rootfs"],
        json!({"type": "layers", "diff_ids": [sha256(plain), sha256(plain)]})
    );
    assert_eq!(manifest["layers"][0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
    assert_eq!(manifest["layers"][1]["mediaType"], "application/vnd.oci.image.layer.v1.tar");

    let docker = parse(&files["manifest.json"]);
    assert_eq!(docker[0]["RepoTags"], json!(["registry.test:5000/shop/orders:1"]));
    assert_eq!(files[docker[0]["Config"].as_str().unwrap()], blob(&files, &manifest["config"]));
    assert_eq!(files[docker[0]["Layers"][0].as_str().unwrap()], gzipped);
    assert_eq!(files[docker[0]["Layers"][1].as_str().unwrap()], plain);
}

#[test]
fn a_layer_from_memory_has_its_directories_and_clean_owners() {
    let layer = layer(Compression::None);
    let found = entries(layer.blob().bytes());
    let about = |kind: &str, mode: u32| json!({"kind": kind, "mode": mode, "mtime": 0, "owner": [0, 0], "link": null});
    let paths: Vec<_> = found.keys().map(String::as_str).collect();
    assert_eq!(paths, ["bin", "bin/run", "etc", "etc/run", "etc/run/run.conf"]);
    assert_eq!(found["etc/run"].0, about("Directory", 0o755));
    assert_eq!(found["bin/run"], (about("Regular", 0o755), b"#!/bin/sh\n".to_vec()));
    assert_eq!(found["etc/run/run.conf"].0, about("Regular", 0o640));
}

#[test]
fn a_layer_from_a_directory_keeps_modes_and_links_but_not_times() {
    let deep = "very/".repeat(30) + "deep.txt";
    let make = || {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join(&deep).parent().unwrap()).unwrap();
        fs::write(root.join(&deep), "deep").unwrap();
        fs::write(root.join("tool"), "x").unwrap();
        fs::set_permissions(root.join("tool"), fs::Permissions::from_mode(0o4751)).unwrap();
        symlink("tool", root.join("alias")).unwrap();
        symlink("/nowhere/at/all", root.join("dangling")).unwrap();
        directory
    };
    let (first, second) = (make(), make());
    let file = fs::File::open(second.path().join("tool")).unwrap();
    file.set_modified(
        std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000),
    )
    .unwrap();

    let packed = Layer::from_directory(first.path(), Compression::None).unwrap();
    assert_eq!(packed, Layer::from_directory(second.path(), Compression::None).unwrap());
    let found = entries(packed.blob().bytes());
    assert_eq!(found["tool"].0["mode"], 0o4751);
    assert_eq!(found["alias"].0["link"], "tool");
    assert_eq!(found["alias"].0["kind"], "Symlink");
    assert_eq!(found["dangling"].0["link"], "/nowhere/at/all");
    assert_eq!(found[&deep].1, b"deep");
    assert!(
        found.values().all(|(about, _)| about["mtime"] == 0 && about["owner"] == json!([0, 0]))
    );
}

#[test]
fn a_directory_with_a_socket_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let error = Layer::from_directory(directory.path(), Compression::None).unwrap_err();
    assert!(matches!(error, Error::SpecialFile(found) if found == path));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let archive = || {
        let mut bytes = Vec::new();
        Image::new(&config(), vec![layer(Compression::Gzip)])
            .unwrap()
            .write_to(&mut bytes)
            .unwrap();
        bytes
    };
    assert_eq!(archive(), archive());
}

#[test]
fn paths_that_leave_the_image_or_meet_are_refused() {
    let pack = |paths: &[&str]| {
        let files: Vec<_> =
            paths.iter().map(|path| LayerFile { path, mode: 0o644, bytes: b"" }).collect();
        Layer::from_files(&files, Compression::None)
    };
    for path in ["", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "a/"] {
        assert!(matches!(pack(&[path]), Err(Error::LayerPath(_))), "{path}");
    }
    assert!(matches!(pack(&["a", "a"]), Err(Error::Duplicate(_))));
    assert!(matches!(pack(&["a", "a/b"]), Err(Error::Duplicate(_))));
    assert!(pack(&["a-b", "a/b", "a.b"]).is_ok());
}

#[test]
fn a_reference_needs_a_name_and_a_tag() {
    for reference in [
        "",
        "orders",
        "registry:5000/orders",
        "orders:",
        ":1",
        "orders:a b",
        "orders:1@sha256:00",
        "orders:-x",
    ] {
        let config = ImageConfig { reference: reference.to_owned(), ..ImageConfig::default() };
        assert!(matches!(Image::new(&config, Vec::new()), Err(Error::Reference(_))), "{reference}");
    }
}

/// The start of an ELF header, as far as it is looked at.
fn elf(machine: u8) -> Vec<u8> {
    let mut binary = b"\x7fELF\x02\x01\x01".to_vec();
    binary.resize(18, 0);
    binary.extend([machine, 0, 1, 0]);
    binary
}

#[test]
fn the_agents_image_has_one_file_and_sets_nothing() {
    let image = agent_image(&elf(62), Architecture::Amd64, DEFAULT_REFERENCE).unwrap();
    assert_eq!(image.reference(), format!("towline.dev/agent:{}", env!("CARGO_PKG_VERSION")));
    let config = parse(image.config().bytes());
    assert_eq!(config["config"], json!({"Entrypoint": ["/towline-agent"]}));
    let found = entries(flate2::read::GzDecoder::new(image.layers()[0].blob().bytes()));
    assert_eq!(found.len(), 1);
    assert_eq!(found["towline-agent"].0["mode"], 0o755);
    assert_eq!(found["towline-agent"].1, elf(62));
}

#[test]
fn an_agent_for_another_processor_is_refused() {
    for (binary, found) in [
        (elf(183), "arm64"),
        (b"#!/bin/sh\n".to_vec(), "no 64-bit"),
        (Vec::new(), "0 bytes"),
        (elf(3), "machine is 3"),
    ] {
        let error = agent_image(&binary, Architecture::Amd64, DEFAULT_REFERENCE).unwrap_err();
        assert!(error.to_string().contains(found), "{error}");
    }
    assert!(agent_image(&elf(183), Architecture::Arm64, DEFAULT_REFERENCE).is_ok());
}

#[test]
fn an_index_names_each_architecture() {
    let images =
        [(62, Architecture::Amd64), (183, Architecture::Arm64)].map(|(machine, architecture)| {
            agent_image(&elf(machine), architecture, DEFAULT_REFERENCE).unwrap()
        });
    let index = parse(index(&images).bytes());
    let manifests: Vec<_> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| (&m["platform"]["architecture"], &m["digest"]))
        .collect();
    assert_eq!(
        manifests,
        [
            (&json!("amd64"), &json!(images[0].manifest().digest().to_string())),
            (&json!("arm64"), &json!(images[1].manifest().digest().to_string()))
        ]
    );
}
