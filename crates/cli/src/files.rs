//! `towline files`: the volumes of a running session.

mod get;
mod list;
mod place;
mod put;

use std::path::PathBuf;

use towline_core::volumes::door::{self, Answer, DoorError, Question};
use towline_core::volumes::{Bytes, Measured, Progress as Far, Volume, human};

use crate::arguments::FilesCommand;
use crate::failure::Failure;
use crate::running;

pub(crate) async fn run(command: FilesCommand) -> Result<(), Failure> {
    match command {
        FilesCommand::List(arguments) => list::run(arguments).await,
        FilesCommand::Get(arguments) => get::run(arguments).await,
        FilesCommand::Put(arguments) => put::run(arguments).await,
    }
}

/// A running session that can be asked.
struct Session {
    directory: PathBuf,
}

impl Session {
    fn find(wanted: Option<&str>) -> Result<Self, Failure> {
        let (entry, _) = running::session(wanted)?;
        Ok(Self { directory: entry.directory })
    }

    async fn ask<T>(
        &self,
        question: &Question,
        progress: impl FnMut(Far),
        take: impl FnOnce(Answer) -> Option<T>,
    ) -> Result<T, Failure> {
        match door::ask(&self.directory, question, progress).await? {
            Answer::Failed(report) => Err(Failure::of(report)),
            answer => take(answer).ok_or_else(|| Failure::from(DoorError::Unexpected)),
        }
    }

    async fn volumes(&self) -> Result<Vec<Volume>, Failure> {
        let take = |answer| match answer {
            Answer::Volumes(volumes) => Some(volumes),
            _ => None,
        };
        self.ask(&Question::Volumes, |_| (), take).await
    }

    async fn measure(&self, mount: &str, paths: Vec<Bytes>) -> Result<Measured, Failure> {
        let take = |answer| match answer {
            Answer::Measured(measured) => Some(measured),
            _ => None,
        };
        self.ask(&Question::Measure { mount: mount.to_owned(), paths }, |_| (), take).await
    }

    /// Takes the volume's files from that pod from now on.
    async fn choose_pod(&self, mount: &str, pod: &str) -> Result<(), Failure> {
        let take = |answer| matches!(answer, Answer::Chosen).then_some(());
        let question = Question::ChoosePod { mount: mount.to_owned(), pod: pod.to_owned() };
        self.ask(&question, |_| (), take).await
    }
}

fn count(files: u64) -> String {
    format!("{files} file{}", if files == 1 { "" } else { "s" })
}

/// `more than 100,000 files, 3 GiB`.
fn size(measured: &Measured) -> String {
    let more = if measured.complete { "" } else { "more than " };
    format!("{more}{}, {}", count(measured.files), human(measured.bytes))
}
