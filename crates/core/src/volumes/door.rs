//! Asking a running session about its volumes from another process of the same user: `towline files`.
//!
//! The session's own process answers, over a socket in the session's private directory, because it has the tunnel, knows which state of each
//! file was copied, and tells its other views of what happens. A second tunnel with a key kept on disk would know none of that, and the agent
//! serves one client at a time. Only this user can enter the directory; the peer's user is looked at nevertheless.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use towline_wire::frame::{self, FrameError};

use super::shelf::Shelf;
use super::{
    Bytes, Fetched, IfChanged, Limit, Listed, Measured, Progress, Volume, VolumeError, WrittenBack,
};
use crate::report::{Code, Explain, Report};

/// The socket, in the session's directory.
const NAME: &str = "files.sock";

/// How many may ask at once.
const MOST: usize = 8;

/// What can be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Question {
    /// [`crate::session::Session::volumes`].
    Volumes,
    /// [`crate::session::Session::measure`].
    Measure {
        /// The volume.
        mount: String,
        /// Paths in it.
        paths: Vec<Bytes>,
    },
    /// [`crate::session::Session::list_volume`].
    List {
        /// The volume.
        mount: String,
        /// The directory in it.
        path: Bytes,
    },
    /// [`crate::session::Session::choose_pod`].
    ChoosePod {
        /// The volume.
        mount: String,
        /// The pod.
        pod: String,
    },
    /// [`crate::session::Session::fetch`]; answered by any number of [`Answer::Progress`] before the last.
    Fetch {
        /// The volume.
        mount: String,
        /// Paths in it.
        paths: Vec<Bytes>,
        /// How much may come.
        limit: Limit,
    },
    /// [`crate::session::Session::write_back`].
    WriteBack {
        /// The volume.
        mount: String,
        /// Files and directories in it.
        paths: Vec<Bytes>,
        /// What becomes of files that changed in the pod.
        if_changed: IfChanged,
    },
}

/// What is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", content = "value", rename_all = "snake_case")]
pub enum Answer {
    /// To [`Question::Volumes`].
    Volumes(Vec<Volume>),
    /// To [`Question::Measure`].
    Measured(Measured),
    /// To [`Question::List`].
    Listed(Listed),
    /// To [`Question::ChoosePod`].
    Chosen,
    /// How far [`Question::Fetch`] is.
    Progress(Progress),
    /// To [`Question::Fetch`].
    Fetched(Fetched),
    /// To [`Question::WriteBack`].
    WrittenBack(WrittenBack),
    /// Why not.
    Failed(Report),
}

/// The session cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// Nobody answers there.
    #[error("the session cannot be asked about its volumes at {}: {source}", .path.display())]
    Closed {
        /// Its socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The session ended, or is of another release.
    #[error("the session did not answer: {0}")]
    Broken(#[from] FrameError),
    /// An answer to something else.
    #[error("the session answered something else; it may be of another release")]
    Unexpected,
}

impl Explain for DoorError {
    fn explain(&self) -> Report {
        Report {
            code: Code::Input,
            message: self.to_string(),
            hint: Some(
                "See `towline status`: it must be connected, and begun without --volumes none."
                    .to_owned(),
            ),
            detail: crate::report::causes(self),
        }
    }
}

/// Asks the session whose private directory this is. `progress` hears how far a copy is.
///
/// # Errors
/// When it cannot be asked; what it says of the question itself is [`Answer::Failed`].
pub async fn ask(
    directory: &Path,
    question: &Question,
    mut progress: impl FnMut(Progress),
) -> Result<Answer, DoorError> {
    let path = directory.join(NAME);
    let stream = UnixStream::connect(&path).await;
    let mut stream = stream.map_err(|source| DoorError::Closed { path, source })?;
    frame::write(&mut stream, question).await?;
    loop {
        match frame::read(&mut stream).await? {
            Answer::Progress(far) => progress(far),
            answer => return Ok(answer),
        }
    }
}

/// Opens the door in the session's directory; one that an earlier part of the session has left is replaced.
pub(crate) fn open(directory: &Path) -> io::Result<UnixListener> {
    let path = directory.join(NAME);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => UnixListener::bind(&path),
    }
}

/// Answers whoever comes, for ever.
pub(crate) async fn serve(listener: UnixListener, shelf: Arc<Shelf>) {
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        // The place first: whoever is too many waits in the socket's own queue.
        let Ok(place) = places.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let shelf = shelf.clone();
                tokio::spawn(async move {
                    if let Err(error) = answer(stream, &shelf).await {
                        tracing::debug!(%error, "somebody who asked about volumes has gone");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the session's door");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn answer(mut stream: UnixStream, shelf: &Arc<Shelf>) -> Result<(), FrameError> {
    #[cfg(unix)]
    if stream.peer_cred()?.uid() != nix::unistd::geteuid().as_raw() {
        return Ok(());
    }
    let question: Question = frame::read(&mut stream).await?;
    let (mut gone, mut tell) = stream.split();
    let mut byte = [0];
    let work = async {
        let answer = match work(question, shelf, &mut tell).await? {
            Ok(answer) => answer,
            Err(error) => Answer::Failed(error.explain()),
        };
        frame::write(&mut tell, &answer).await
    };
    tokio::select! {
        done = work => done,
        // Whoever asked has gone: a copy ends.
        _ = gone.read(&mut byte) => Ok(()),
    }
}

async fn work(
    question: Question,
    shelf: &Arc<Shelf>,
    tell: &mut (impl tokio::io::AsyncWrite + Unpin),
) -> Result<Result<Answer, VolumeError>, FrameError> {
    let answer = match question {
        Question::Volumes => Ok(Answer::Volumes(shelf.volumes())),
        Question::Measure { mount, paths } => {
            shelf.measure(&mount, paths).await.map(Answer::Measured)
        }
        Question::List { mount, path } => shelf.list(&mount, path).await.map(Answer::Listed),
        Question::ChoosePod { mount, pod } => {
            shelf.choose_pod(&mount, &pod).map(|()| Answer::Chosen)
        }
        Question::WriteBack { mount, paths, if_changed } => {
            shelf.write_back(&mount, paths, if_changed).await.map(Answer::WrittenBack)
        }
        Question::Fetch { mount, paths, limit } => {
            let mut transfer = match shelf.fetch(&mount, paths, limit) {
                Ok(transfer) => transfer,
                Err(error) => return Ok(Err(error)),
            };
            while transfer.advanced().await {
                frame::write(tell, &Answer::Progress(transfer.progress())).await?;
            }
            transfer.finish().await.map(Answer::Fetched)
        }
    };
    Ok(answer)
}
