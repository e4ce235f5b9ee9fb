//! Keeping small volumes as they are in the pod, in the kubelet's own way (pkg/volume/util/atomic_writer.go): the files stand in a directory of
//! their own, the link `..data` leads to it and is swapped by a rename, and each name at the top is a link through `..data`. So a program sees
//! all of the old files or all of the new ones, and whoever watches `..data` in the cluster can watch it here.

mod apply;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use towline_wire::files::Ask;
use towline_wire::files::record::{self, Record};

use self::apply::Applier;
use super::VolumeError;
use super::shelf::{Shelf, text};

/// The pause before a stream that ended is opened again.
const AGAIN: Duration = Duration::from_secs(1);

/// How many records may wait for the disk.
const QUEUE: usize = 8;

/// Keeps the volumes fresh, for ever.
pub(crate) async fn keep(shelf: Arc<Shelf>) {
    let mounts = shelf.copied();
    if mounts.is_empty() {
        return;
    }
    let mut applier = Applier::new(shelf.clone());
    loop {
        if let Some((pod, streams)) = shelf.board.wait_for_pod(None).await {
            for mount in &mounts {
                shelf.change(mount, |volume| volume.pod = Some(pod.clone()));
            }
            let ask = Ask::Watch { mounts: mounts.iter().map(|mount| text(mount)).collect() };
            let reason = match streams.files(ask).await {
                Ok(stream) => {
                    let (ended, reason) = follow(stream, applier).await;
                    applier = ended.unwrap_or_else(|| Applier::new(shelf.clone()));
                    reason
                }
                Err(error) => error.to_string(),
            };
            // Those that were never copied say why; the others stay as they are, and the session says that it has lost the agent.
            for mount in shelf.never_copied() {
                let error = VolumeError::Tunnel { mount: mount.clone(), reason: reason.clone() };
                shelf.failed(&mount, &error);
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Writes what comes, on a thread that may wait for the disk, until the stream ends; returns why it did.
async fn follow(
    mut stream: towline_wire::mux::MuxStream,
    mut applier: Applier,
) -> (Option<Applier>, String) {
    let (send, mut records) = mpsc::channel::<Record>(QUEUE);
    let applying = tokio::task::spawn_blocking(move || {
        while let Some(record) = records.blocking_recv() {
            applier.take(record);
        }
        applier.cut_off();
        applier
    });
    let reason = loop {
        match record::read(&mut stream).await {
            Ok(record) => {
                if send.send(record).await.is_err() {
                    break "the files could not be written".to_owned();
                }
            }
            Err(error) => break error.to_string(),
        }
    };
    drop(send);
    (applying.await.ok(), reason)
}
