use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use flate2::{GzBuilder, write::GzEncoder};
use tar::{Builder, EntryType, Header};

use crate::{Blob, Digest, Error, media_type};

/// How a layer is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// A plain tar: quick to make, for images that stay on this machine.
    None,
    /// Gzip, which every runtime reads: for images that travel.
    Gzip,
}

/// One file of a layer, from memory.
#[derive(Debug, Clone, Copy)]
pub struct LayerFile<'a> {
    /// Where in the image, without a leading slash.
    pub path: &'a str,
    /// Permission bits, for instance `0o755`.
    pub mode: u32,
    /// The contents.
    pub bytes: &'a [u8],
}

/// A file system tree of an image. Everything in it belongs to root and is as old as the epoch, whatever it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    blob: Blob,
    diff_id: Digest,
}

impl Layer {
    /// Packs files from memory. Their directories come with them, with mode 0755.
    ///
    /// # Errors
    ///
    /// When a path is absolute, leaves the image, or occurs twice.
    pub fn from_files(files: &[LayerFile<'_>], compression: Compression) -> Result<Self, Error> {
        let mut sorted = files.to_vec();
        sorted.sort_by_key(|file| file.path);
        let mut builder = Builder::new(Vec::new());
        let (mut directories, mut paths) = (BTreeSet::new(), BTreeSet::new());
        for file in sorted {
            check_path(file.path)?;
            for (end, _) in file.path.match_indices('/') {
                let directory = &file.path[..end];
                if paths.contains(directory) {
                    return Err(Error::Duplicate(file.path.to_owned()));
                }
                if directories.insert(directory) {
                    append(&mut builder, EntryType::Directory, directory, 0o755, &[])
                        .map_err(Error::write("a layer"))?;
                }
            }
            if directories.contains(file.path) || !paths.insert(file.path) {
                return Err(Error::Duplicate(file.path.to_owned()));
            }
            append(&mut builder, EntryType::Regular, file.path, file.mode, file.bytes)
                .map_err(Error::write("a layer"))?;
        }
        Self::from_tar(builder.into_inner().map_err(Error::write("a layer"))?, compression)
    }

    /// Packs what is in `directory`: files, directories and symbolic links, with their modes. Names are sorted by bytes; hard links become copies.
    ///
    /// # Errors
    ///
    /// When something cannot be read, or is a device, socket or pipe.
    pub fn from_directory(directory: &Path, compression: Compression) -> Result<Self, Error> {
        let mut builder = Builder::new(Vec::new());
        append_directory(&mut builder, directory, Path::new(""))?;
        Self::from_tar(builder.into_inner().map_err(Error::write("a layer"))?, compression)
    }

    fn from_tar(tar: Vec<u8>, compression: Compression) -> Result<Self, Error> {
        let diff_id = Digest::of(&tar);
        let blob = match compression {
            Compression::None => Blob::new(media_type::LAYER_TAR, tar),
            Compression::Gzip => Blob::new(
                media_type::LAYER_GZIP,
                gzip(&tar).map_err(Error::write("a compressed layer"))?,
            ),
        };
        Ok(Self { blob, diff_id })
    }

    /// The layer as it is stored.
    #[must_use]
    pub fn blob(&self) -> &Blob {
        &self.blob
    }

    /// The digest of the layer's tar before compression, by which the configuration knows it.
    #[must_use]
    pub fn diff_id(&self) -> Digest {
        self.diff_id
    }
}

fn check_path(path: &str) -> Result<(), Error> {
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) || path.contains('\0') {
        return Err(Error::LayerPath(path.to_owned()));
    }
    Ok(())
}

fn append_directory(
    builder: &mut Builder<Vec<u8>>,
    source: &Path,
    target: &Path,
) -> Result<(), Error> {
    let mut entries = fs::read_dir(source)
        .and_then(|entries| entries.collect::<Result<Vec<_>, _>>())
        .map_err(Error::file("read", source))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, target) = (entry.path(), target.join(entry.file_name()));
        let metadata = entry.metadata().map_err(Error::file("read", &path))?;
        let mode = metadata.permissions().mode() & 0o7777;
        let kind = metadata.file_type();
        if kind.is_dir() {
            append(builder, EntryType::Directory, &target, mode, &[])
                .map_err(Error::file("pack", &path))?;
            append_directory(builder, &path, &target)?;
        } else if kind.is_file() {
            let bytes = fs::read(&path).map_err(Error::file("read", &path))?;
            append(builder, EntryType::Regular, &target, mode, &bytes)
                .map_err(Error::file("pack", &path))?;
        } else if kind.is_symlink() {
            let link = fs::read_link(&path).map_err(Error::file("read", &path))?;
            builder
                .append_link(&mut header(EntryType::Symlink, 0o777), &target, link)
                .map_err(Error::file("pack", &path))?;
        } else {
            return Err(Error::SpecialFile(path));
        }
    }
    Ok(())
}

pub(crate) fn append<W: Write>(
    builder: &mut Builder<W>,
    kind: EntryType,
    path: impl AsRef<Path>,
    mode: u32,
    bytes: &[u8],
) -> io::Result<()> {
    let mut header = header(kind, mode);
    header.set_size(bytes.len() as u64);
    builder.append_data(&mut header, path, bytes)
}

fn header(kind: EntryType, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    header
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    // The header's operating system and time are the only parts of gzip that could differ between two machines.
    let mut encoder: GzEncoder<Vec<u8>> = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}
