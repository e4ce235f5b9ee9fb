use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

use serde::Serialize;
use tar::{Builder, EntryType};

use crate::{
    Blob, Error, Image, ImageConfig, Layer,
    image::{ArchiveAnnotations, Index, IndexEntry},
    layer::append,
};

/// Packs an image into the file `path`: an OCI layout with Docker's `manifest.json` beside it, as `docker save` has written since version 25. So
/// `ctr images import`, `docker load`, `podman load` and `kind load image-archive` all take it.
///
/// # Errors
///
/// When the reference has no tag, or the file cannot be written; what was there before is then still there.
pub fn write_archive(config: &ImageConfig, layers: &[Layer], path: &Path) -> Result<(), Error> {
    Image::new(config, layers.to_vec())?.save(path)
}

pub(crate) fn save(image: &Image, path: &Path) -> Result<(), Error> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".partial");
    // Beside its target, so that renaming it is atomic: nobody ever loads half an archive.
    let partial = path.with_file_name(name);
    File::create(&partial)
        .and_then(|file| write_to(image, BufWriter::new(file)))
        .and_then(|()| fs::rename(&partial, path))
        .inspect_err(|_| drop(fs::remove_file(&partial)))
        .map_err(Error::file("write the image archive", path))
}

pub(crate) fn write_to(image: &Image, writer: impl Write) -> io::Result<()> {
    let mut archive = Archive { builder: Builder::new(writer), written: BTreeSet::new() };
    let tag = image.reference().rsplit(':').next().unwrap_or_default().to_owned();
    let index = Index::new(vec![IndexEntry {
        manifest: image.manifest().descriptor(),
        platform: image.into(),
        annotations: Some(ArchiveAnnotations { name: image.reference().to_owned(), tag }),
    }]);
    let docker = DockerManifest {
        config: blob_path(image.config()),
        repo_tags: [image.reference()],
        layers: image.layers().iter().map(|layer| blob_path(layer.blob())).collect(),
    };

    archive.file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    archive.file("index.json", &serde_json::to_vec(&index)?)?;
    archive.file("manifest.json", &serde_json::to_vec(&[docker])?)?;
    archive.blob(image.manifest())?;
    archive.blob(image.config())?;
    for layer in image.layers() {
        archive.blob(layer.blob())?;
    }
    archive.builder.into_inner()?.flush()
}

struct Archive<W: Write> {
    builder: Builder<W>,
    written: BTreeSet<String>,
}

impl<W: Write> Archive<W> {
    fn file(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        append(&mut self.builder, EntryType::Regular, path, 0o644, bytes)
    }

    fn blob(&mut self, blob: &Blob) -> io::Result<()> {
        let path = blob_path(blob);
        if !self.written.insert(path.clone()) {
            return Ok(());
        }
        self.file(&path, blob.bytes())
    }
}

fn blob_path(blob: &Blob) -> String {
    format!("blobs/sha256/{}", blob.digest().hex())
}

/// One image in `manifest.json`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DockerManifest<'a> {
    config: String,
    repo_tags: [&'a str; 1],
    layers: Vec<String>,
}
