//! Where on this machine the entries of a volume go.

use std::io;

use towline_beneath::{Directory, FileStat, Inside, Staged};

pub(super) struct Place {
    /// What the paths are relative to.
    top: Directory,
    /// The name of the volume's only file.
    only: Option<Vec<u8>>,
    /// The directory that was used last: what comes next is in it, most often.
    parent: Option<(Inside, Directory)>,
}

impl Place {
    pub(super) fn new(top: Directory, only: Option<Vec<u8>>) -> Self {
        Self { top, only, parent: None }
    }

    pub(super) fn is_one_file(&self) -> bool {
        self.only.is_some()
    }

    pub(super) fn directory(&self, path: &Inside) -> io::Result<Directory> {
        self.top.descend_or_make(path)
    }

    pub(super) fn parent(&mut self, above: &Inside) -> io::Result<&Directory> {
        if self.parent.as_ref().is_none_or(|(path, _)| path != above) {
            let directory = self.top.descend_or_make(above)?;
            self.parent = Some((above.clone(), directory));
        }
        Ok(self.parent.as_ref().map_or(&self.top, |(_, directory)| directory))
    }

    pub(super) fn stage(&mut self, path: &Inside) -> io::Result<Staged> {
        let (parent, name) = self.entry(path)?;
        parent.stage(&name)
    }

    pub(super) fn stat(&mut self, path: &Inside) -> io::Result<FileStat> {
        let (parent, name) = self.entry(path)?;
        parent.stat(&name)
    }

    fn entry(&mut self, path: &Inside) -> io::Result<(&Directory, Vec<u8>)> {
        match (self.only.clone(), path.split()) {
            (Some(name), _) => Ok((&self.top, name)),
            (None, Some((above, name))) => {
                let name = name.to_vec();
                Ok((self.parent(&above)?, name))
            }
            (None, None) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }
}
