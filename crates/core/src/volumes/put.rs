//! Writing files back into the pod: only what the user names, and only over what was copied.

mod here;

use std::fs::File;
use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use towline_beneath::{FileStat, Inside};
use towline_wire::files::record::{HEADER, Item, LARGEST, room, seal};
use towline_wire::files::{Ask, Expect, Refusal, RefusalKind, Version};
use towline_wire::frame;
use towline_wire::header::Bytes;

use self::here::{Here, local_version};
use super::shelf::{Copy, Shelf, text};
use super::{Conflict, Handling, IfChanged, Seen, VolumeError, WrittenBack};
use crate::tunnel::Streams;

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
        let (mut written, mut conflicts) = (WrittenBack::default(), Vec::new());
        for path in wanted {
            let (file, stat) = here.open(&path)?;
            let copied = self.copy(mount, &path);
            let expect = match (if_changed, &copied) {
                (IfChanged::Overwrite, _) => Expect::Anything,
                (IfChanged::Refuse, Some((_, copy))) => Expect::Same { version: copy.pod },
                (IfChanged::Refuse, None) => Expect::Absent,
            };
            // Back to where it came from.
            let (pod, streams) = self.agent(mount, copied.as_ref().map(|(pod, _)| &**pod)).await?;
            match put(&here, &streams, &path, (file, stat), expect).await {
                Ok(copy) => {
                    self.remember(mount, &pod, vec![(path.clone(), copy)]);
                    written.files.push(path.to_string());
                    written.bytes += stat.size;
                }
                Err(VolumeError::Refused { refusal, .. })
                    if refusal.kind == RefusalKind::Conflict =>
                {
                    conflicts.push(Conflict {
                        path: path.to_string(),
                        reason: refusal.message,
                        here: Seen { size: stat.size, modified: stat.modified },
                        there: refusal.there,
                    });
                }
                Err(error) => return Err(error),
            }
        }
        match conflicts.is_empty() {
            true => Ok(written),
            false => Err(VolumeError::Changed { conflicts, written }),
        }
    }
}

/// Sends one file; what it is then, there and here.
async fn put(
    here: &Here,
    streams: &Streams,
    path: &Inside,
    (file, stat): (File, FileStat),
    expect: Expect,
) -> Result<Copy, VolumeError> {
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
    Ok(Copy { pod: version, local: local_version(&stat) })
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
