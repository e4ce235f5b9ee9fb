//! Container images made without Docker: layers from memory or from a directory, an archive that containerd, Docker and kind load, and the same
//! image as blobs for a registry.
//!
//! Everything here is deterministic: the same input gives the same bytes and so the same digests, on every machine and on every day. Nothing here
//! touches the network; whoever pushes an [`Image`] uploads [`Image::layers`], then [`Image::config`], then [`Image::manifest`].
//!
//! The formats are those of the OCI image specification 1.0 (`image-layout.md`, `manifest.md`, `config.md`, `image-index.md`); `manifest.json` in an
//! archive is Docker's own, as `docker save` writes it.

mod agent;
mod archive;
mod blob;
mod config;
mod error;
mod image;
mod layer;

pub use agent::{AGENT_PATH, DEFAULT_REFERENCE, agent_image};
pub use archive::write_archive;
pub use blob::{Blob, Digest};
pub use config::{Architecture, ImageConfig, UnknownArchitecture};
pub use error::Error;
pub use image::{Image, index};
pub use layer::{Compression, Layer, LayerFile};

/// Media types of what an image consists of.
pub mod media_type {
    /// An index of manifests, one for each architecture.
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// The manifest of one image.
    pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// The configuration of one image.
    pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// A layer as a plain tar.
    pub const LAYER_TAR: &str = "application/vnd.oci.image.layer.v1.tar";
    /// A layer as a gzipped tar.
    pub const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
}
