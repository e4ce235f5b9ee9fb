use std::{io, path::Path};

use serde::Serialize;

use crate::{Architecture, Blob, Error, ImageConfig, Layer, archive, blob::Descriptor, media_type};

/// A finished image: its layers, its configuration and its manifest, as the blobs that a registry takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    reference: String,
    architecture: Architecture,
    layers: Vec<Layer>,
    config: Blob,
    manifest: Blob,
}

impl Image {
    /// Puts an image together. `layers` are in order: a later one covers an earlier one.
    ///
    /// # Errors
    ///
    /// When the reference has no name or no tag.
    pub fn new(config: &ImageConfig, layers: Vec<Layer>) -> Result<Self, Error> {
        check_reference(&config.reference)?;
        let diff_ids: Vec<_> = layers.iter().map(Layer::diff_id).collect();
        let config_blob = Blob::json(media_type::CONFIG, &config.to_document(&diff_ids));
        let manifest = Manifest {
            schema_version: 2,
            media_type: media_type::MANIFEST,
            config: config_blob.descriptor(),
            layers: layers.iter().map(|layer| layer.blob().descriptor()).collect(),
        };
        Ok(Self {
            reference: config.reference.clone(),
            architecture: config.architecture,
            layers,
            config: config_blob,
            manifest: Blob::json(media_type::MANIFEST, &manifest),
        })
    }

    /// `NAME:TAG`.
    #[must_use]
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// What the image runs on.
    #[must_use]
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// The layers, lowest first.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Blob {
        &self.config
    }

    /// The manifest; its digest is the image's digest.
    #[must_use]
    pub fn manifest(&self) -> &Blob {
        &self.manifest
    }

    /// Writes the archive that [`crate::write_archive`] describes to `writer`.
    ///
    /// # Errors
    ///
    /// When `writer` fails.
    pub fn write_to(&self, writer: impl io::Write) -> Result<(), Error> {
        archive::write_to(self, writer).map_err(Error::write("an image archive"))
    }

    /// Writes the archive that [`crate::write_archive`] describes to the file `path`.
    ///
    /// # Errors
    ///
    /// When the file cannot be written; what was there before is then still there.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        archive::save(self, path)
    }
}

/// An index of `images`, one for each architecture: what a registry keeps under the tag of an image for several architectures, after the manifests
/// themselves.
#[must_use]
pub fn index(images: &[Image]) -> Blob {
    let manifests = images.iter().map(|image| IndexEntry {
        manifest: image.manifest.descriptor(),
        platform: image.into(),
        annotations: None,
    });
    Blob::json(media_type::INDEX, &Index::new(manifests.collect()))
}

fn check_reference(reference: &str) -> Result<(), Error> {
    // A colon before the last slash belongs to the registry's port.
    let last = reference.rsplit('/').next().unwrap_or_default();
    let tagged = last.split_once(':').is_some_and(|(name, tag)| !name.is_empty() && is_tag(tag));
    if !tagged || reference.chars().any(|c| c.is_whitespace() || c == '@') {
        return Err(Error::Reference(reference.to_owned()));
    }
    Ok(())
}

fn is_tag(tag: &str) -> bool {
    (1..=128).contains(&tag.len())
        && tag.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
        && !tag.starts_with(['.', '-'])
}

/// `manifest.md`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u32,
    media_type: &'static str,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

/// `image-index.md`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    schema_version: u32,
    media_type: &'static str,
    manifests: Vec<IndexEntry>,
}

impl Index {
    pub(crate) fn new(manifests: Vec<IndexEntry>) -> Self {
        Self { schema_version: 2, media_type: media_type::INDEX, manifests }
    }
}

#[derive(Serialize)]
pub(crate) struct IndexEntry {
    #[serde(flatten)]
    pub(crate) manifest: Descriptor,
    pub(crate) platform: Platform,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<ArchiveAnnotations>,
}

#[derive(Serialize)]
pub(crate) struct Platform {
    architecture: Architecture,
    os: &'static str,
}

impl From<&Image> for Platform {
    fn from(image: &Image) -> Self {
        Self { architecture: image.architecture, os: "linux" }
    }
}

/// What tells a reader of an archive the image's name: containerd takes the first, others the second.
#[derive(Serialize)]
pub(crate) struct ArchiveAnnotations {
    #[serde(rename = "io.containerd.image.name")]
    pub(crate) name: String,
    #[serde(rename = "org.opencontainers.image.ref.name")]
    pub(crate) tag: String,
}
