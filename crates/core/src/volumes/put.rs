//! Writing files back into the pod: only what the user names, and only over what was copied.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use towline_beneath::{Directory, FileKind, FileStat, Inside};
use towline_wire::files::record::{HEADER, Item, LARGEST, room, seal};
use towline_wire::files::{Ask, Expect, Refusal, RefusalKind, Version};
use towline_wire::frame;
use towline_wire::header::Bytes;

use super::shelf::{Copy, Placed, Shelf, inside, local, text};
use super::{Handling, IfChanged, VolumeError, WrittenBack};
use crate::tunnel::Streams;

/// More files at once than this are not what somebody means who names a directory.
const MOST: usize = 10_000;

impl Shelf {
    /// Writes these files back; of a directory, those that are new here or have been changed since they were copied.
    pub(crate) async fn write_back(
        &self,
        mount: &str,
        paths: Vec<Bytes>,
        if_changed: IfChanged,
    ) -> Result<WrittenBack, VolumeError> {
        let placed = self.find(mount)?;
        if placed.planned.read_only {
            let refusal = Refusal::new(RefusalKind::ReadOnly, "it is mounted read-only in the pod");
            return Err(VolumeError::refused(mount, refusal));
        }
        if placed.planned.handling != Handling::OnDemand {
            let message = "the kubelet writes it; change the config map or the secret instead";
            return Err(VolumeError::refused(mount, Refusal::new(RefusalKind::ReadOnly, message)));
        }
        let here = Here::of(&placed)?;
        let mut wanted = Vec::new();
        for path in paths {
            here.collect(self, path, &mut wanted)?;
        }
        let (pod, streams) = self.agent(mount).await?;
        let (mut done, mut conflicts) = (WrittenBack::default(), Vec::new());
        for path in wanted {
            match self.put(&here, &streams, &path, if_changed).await {
                Ok((copy, bytes)) => {
                    self.remember(mount, &pod, vec![(path.clone(), copy)]);
                    done.files.push(path.to_string());
                    done.bytes += bytes;
                }
                Err(VolumeError::Refused { refusal, .. })
                    if refusal.kind == RefusalKind::Conflict =>
                {
                    conflicts.push(path.to_string());
                }
                Err(error) => return Err(error),
            }
        }
        match conflicts.is_empty() {
            true => Ok(done),
            false => Err(VolumeError::Changed { paths: conflicts }),
        }
    }

    async fn put(
        &self,
        here: &Here,
        streams: &Streams,
        path: &Inside,
        if_changed: IfChanged,
    ) -> Result<(Copy, u64), VolumeError> {
        let (file, stat) = here.open(path)?;
        let expect = match (if_changed, self.copy(&here.mount, path)) {
            (IfChanged::Overwrite, _) => Expect::Anything,
            (IfChanged::Refuse, Some(copy)) => Expect::Same { version: copy.pod },
            (IfChanged::Refuse, None) => Expect::Absent,
        };
        let tunnel = |reason: String| VolumeError::Tunnel { mount: here.mount.clone(), reason };
        let refused = |refusal| VolumeError::refused(&here.mount, refusal);
        let ask = Ask::Put {
            mount: text(&here.mount),
            path: path.as_bytes().to_vec().into(),
            size: stat.size,
            expect,
        };
        let mut stream = streams.files(ask).await.map_err(|error| tunnel(error.to_string()))?;
        let taken: Result<(), Refusal> =
            frame::read(&mut stream).await.map_err(|error| tunnel(error.to_string()))?;
        taken.map_err(refused)?;
        let (mut answers, mut pipe) = tokio::io::split(stream);
        let answer = frame::read::<Result<Version, Refusal>>(&mut answers);
        tokio::pin!(answer);
        let sent = send(file, stat.size, &mut pipe);
        // An agent that has to give up says why, before all is sent.
        let answer = tokio::select! {
            answer = &mut answer => answer,
            sent = sent => match sent {
                Ok(()) => answer.await,
                Err(Sending::Here(source)) => {
                    let path = here.path(path);
                    return Err(VolumeError::Local { doing: "reading", path, source });
                }
                Err(Sending::There(error)) => match answer.await {
                    Ok(answer) => Ok(answer),
                    Err(_) => return Err(tunnel(error.to_string())),
                },
            },
        };
        let answer = answer.map_err(|error| tunnel(error.to_string()))?;
        let version = answer.map_err(refused)?;
        Ok((Copy { pod: version, local: local_version(&stat) }, stat.size))
    }
}

/// Where sending failed.
enum Sending {
    Here(io::Error),
    There(io::Error),
}

async fn send(
    file: File,
    size: u64,
    pipe: &mut (impl tokio::io::AsyncWrite + Unpin),
) -> Result<(), Sending> {
    let mut file = tokio::fs::File::from_std(file);
    let mut left = size;
    while left > 0 {
        let mut buffer = room();
        let want = usize::try_from(left).unwrap_or(LARGEST).min(LARGEST);
        let read = file.read(&mut buffer[HEADER..HEADER + want]).await.map_err(Sending::Here)?;
        if read == 0 {
            let message = "it became shorter while it was read";
            return Err(Sending::Here(io::Error::new(io::ErrorKind::UnexpectedEof, message)));
        }
        seal(&mut buffer, read);
        pipe.write_all(&buffer).await.map_err(Sending::There)?;
        left -= read as u64;
    }
    pipe.write_all(&Item::End { broken: None }.encode()).await.map_err(Sending::There)?;
    pipe.flush().await.map_err(Sending::There)
}

fn local_version(stat: &FileStat) -> Version {
    Version { inode: stat.inode, size: stat.size, changed: stat.changed }
}

/// The volume on this machine.
struct Here {
    mount: String,
    at: PathBuf,
    /// The volume, or the directory that its only file is in.
    directory: Directory,
    only: Option<Vec<u8>>,
}

impl Here {
    fn of(placed: &Placed) -> Result<Self, VolumeError> {
        let mount = placed.planned.mount_path.clone();
        let at = local(&placed.root, &mount);
        let failed = |source| VolumeError::Local { doing: "opening", path: at.clone(), source };
        let path = inside(&mount).map_err(|_| VolumeError::Path { path: mount.clone() })?;
        let root = Directory::open(&placed.root).map_err(failed)?;
        let (within, only) = match (placed.file, path.split()) {
            (true, Some((above, name))) => (above, Some(name.to_vec())),
            _ => (path.clone(), None),
        };
        let directory = root.descend(&within).map_err(failed)?;
        Ok(Self { mount, at, directory, only })
    }

    fn path(&self, path: &Inside) -> PathBuf {
        self.at.join(path.to_string())
    }

    fn entry(&self, path: &Inside) -> io::Result<(Directory, Vec<u8>)> {
        match (&self.only, path.split()) {
            (Some(name), None) => Ok((self.directory.descend(&Inside::top())?, name.clone())),
            (None, Some((above, name))) => Ok((self.directory.descend(&above)?, name.to_vec())),
            _ => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    fn open(&self, path: &Inside) -> Result<(File, FileStat), VolumeError> {
        let opened = self.entry(path).and_then(|(parent, name)| parent.open_file(&name));
        opened.map_err(|source| self.unreadable(path, source))
    }

    fn unreadable(&self, path: &Inside, source: io::Error) -> VolumeError {
        match source.kind() {
            io::ErrorKind::NotFound => VolumeError::NothingHere { path: self.path(path) },
            _ => VolumeError::Local { doing: "reading", path: self.path(path), source },
        }
    }

    /// Adds the files that `path` names.
    fn collect(
        &self,
        shelf: &Shelf,
        path: Bytes,
        wanted: &mut Vec<Inside>,
    ) -> Result<(), VolumeError> {
        let bytes = Vec::from(path);
        let shown = bytes.escape_ascii().to_string();
        let path = Inside::parse(bytes).map_err(|_| VolumeError::Path { path: shown })?;
        let is_directory = self.only.is_none()
            && (path.is_top() || {
                let stat = self.entry(&path).and_then(|(parent, name)| parent.stat(&name));
                stat.map_err(|source| self.unreadable(&path, source))?.kind == FileKind::Directory
            });
        if !is_directory {
            wanted.push(path);
            return Ok(());
        }
        let mut pending = vec![path];
        while let Some(path) = pending.pop() {
            let failed = |source| self.unreadable(&path, source);
            let directory = self.directory.descend(&path).map_err(failed)?;
            for name in directory.names().map_err(failed)? {
                let name = name.map_err(failed)?;
                let (Ok(inside), Ok(stat)) = (path.join(&name), directory.stat(&name)) else {
                    continue;
                };
                match stat.kind {
                    FileKind::Directory => pending.push(inside),
                    FileKind::File if self.is_changed(shelf, &inside, &stat) => wanted.push(inside),
                    _ => {}
                }
                if wanted.len() > MOST {
                    let message = format!("more than {MOST} files to write back; name fewer");
                    let refusal = Refusal::new(RefusalKind::TooLarge, message);
                    return Err(VolumeError::refused(&self.mount, refusal));
                }
            }
        }
        Ok(())
    }

    fn is_changed(&self, shelf: &Shelf, path: &Inside, stat: &FileStat) -> bool {
        shelf.copy(&self.mount, path).is_none_or(|copy| copy.local != local_version(stat))
    }
}
