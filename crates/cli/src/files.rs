//! `towline files`: the volumes of a running session.

mod place;

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;
use towline_core::report::Code;
use towline_core::volumes::door::{self, Answer, DoorError, Question};
use towline_core::volumes::{
    Bytes, EntryKind, Fetched, Handling, IfChanged, Limit, Listed, Measured, Progress as Far,
    Volume, WrittenBack, human,
};

use self::place::{Place, place};
use crate::arguments::{
    FilesCommand, Format, GetFilesArguments, ListFilesArguments, PutFilesArguments,
};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{output, running};

pub(crate) async fn run(command: FilesCommand) -> Result<(), Failure> {
    match command {
        FilesCommand::List(arguments) => list(arguments).await,
        FilesCommand::Get(arguments) => get(arguments).await,
        FilesCommand::Put(arguments) => put(arguments).await,
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
}

async fn list(arguments: ListFilesArguments) -> Result<(), Failure> {
    let session = Session::find(arguments.which.session.as_deref())?;
    let mut volumes = session.volumes().await?;
    let format = arguments.output.output;
    let Some(path) = arguments.path else {
        for volume in volumes.iter_mut().filter(|volume| is_on_demand(volume)) {
            // What cannot be measured is said in its row.
            match session.measure(&volume.planned.mount_path, Vec::new()).await {
                Ok(measured) => volume.measured = Some(measured),
                Err(failure) => volume.error = Some(failure.report),
            }
        }
        let header = ["VOLUME", "KIND", "SOURCE", "WRITABLE", "STATE"];
        output::rows(format, &volumes, &header, "the container has no volumes", |volume| {
            let planned = &volume.planned;
            let source = planned.source.clone().unwrap_or_else(|| planned.name.clone());
            let writable = if planned.read_only { "no" } else { "yes" };
            vec![
                planned.mount_path.clone(),
                planned.kind.words().to_owned(),
                source,
                writable.to_owned(),
                state(volume),
            ]
        });
        return Ok(());
    };
    let Place { mount, path, .. } = place(&volumes, &path)?;
    let take = |answer| match answer {
        Answer::Listed(listed) => Some(listed),
        _ => None,
    };
    let question = Question::List { mount, path: path.into() };
    let listed: Listed = session.ask(&question, |_| (), take).await?;
    if format == Format::Json {
        output::json(&listed);
        return Ok(());
    }
    output::rows(
        format,
        &listed.entries,
        &["SIZE", "CHANGED", "NAME"],
        "nothing is there",
        |entry| {
            let name = place::shown(&Vec::from(entry.name.clone()));
            let (size, mark) = match entry.kind {
                EntryKind::File => (human(entry.size), ""),
                EntryKind::Directory => ("-".to_owned(), "/"),
                EntryKind::Link => ("-".to_owned(), "@"),
                EntryKind::Special => ("-".to_owned(), " (special)"),
            };
            let changed = Timestamp::from_second(entry.modified)
                .map(|at| at.strftime("%F %H:%M").to_string());
            vec![size, changed.unwrap_or_default(), format!("{name}{mark}")]
        },
    );
    if !listed.complete {
        output::complain("… and more");
    }
    Ok(())
}

fn is_on_demand(volume: &Volume) -> bool {
    volume.planned.handling == Handling::OnDemand && volume.local.is_some()
}

fn state(volume: &Volume) -> String {
    if let Some(error) = &volume.error {
        return format!("not here: {}", error.message);
    }
    let here = match volume.files {
        0 => "nothing here".to_owned(),
        files => format!("{} here, {}", count(files), human(volume.bytes)),
    };
    match (volume.planned.handling, &volume.measured) {
        (Handling::Left, _) => "left out".to_owned(),
        (Handling::Copied, _) => {
            format!("{}, {}, kept fresh", count(volume.files), human(volume.bytes))
        }
        (Handling::OnDemand, Some(measured)) => format!("{} in the pod; {here}", size(measured)),
        (Handling::OnDemand, None) => here,
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

async fn get(arguments: GetFilesArguments) -> Result<(), Failure> {
    let session = Session::find(arguments.which.session.as_deref())?;
    let volumes = session.volumes().await?;
    let format = arguments.output.output;
    let limit = Limit { bytes: arguments.limit, entries: arguments.most_files };
    let mut results = Vec::new();
    for (mount, paths) in place::by_volume(&volumes, &arguments.paths)? {
        let mut progress = Progress::new(format);
        let whole = if paths.is_empty() { "all of " } else { "" };
        progress.step(&format!("measuring {whole}{mount}"));
        let measured = session.measure(&mount, paths.clone()).await?;
        progress.step(&format!("copying {} of {mount}", size(&measured)));
        let take = |answer| match answer {
            Answer::Fetched(fetched) => Some(fetched),
            _ => None,
        };
        let question = Question::Fetch { mount: mount.clone(), paths, limit };
        let far = |far: Far| {
            progress.detail(&format!("{} of {}", human(far.bytes), human(measured.bytes)))
        };
        let fetched = session.ask(&question, far, take).await?;
        progress.done();
        let local = volumes.iter().find(|volume| volume.planned.mount_path == mount);
        results.push(Got { mount, local: local.and_then(|volume| volume.local.clone()), fetched });
    }
    if format == Format::Json {
        output::json(&results);
        return Ok(());
    }
    results.iter().for_each(Got::tell);
    Ok(())
}

#[derive(Serialize)]
struct Got {
    mount: String,
    local: Option<PathBuf>,
    #[serde(flatten)]
    fetched: Fetched,
}

impl Got {
    fn tell(&self) {
        let fetched = &self.fetched;
        let local =
            self.local.as_ref().map(|local| local.display().to_string()).unwrap_or_default();
        let line = format!(
            "{}: {}, {} → {local}\n",
            self.mount,
            count(fetched.files),
            human(fetched.bytes)
        );
        output::print(line.as_bytes());
        for skipped in fetched.skipped.iter().take(20) {
            output::complain(&format!("not copied: {}: {}", skipped.path, skipped.reason));
        }
        let rest = fetched.skipped_count.saturating_sub(20);
        if rest > 0 {
            output::complain(&format!("… and {rest} more that were not copied"));
        }
    }
}

async fn put(arguments: PutFilesArguments) -> Result<(), Failure> {
    let session = Session::find(arguments.which.session.as_deref())?;
    let volumes = session.volumes().await?;
    let format = arguments.output.output;
    let if_changed = if arguments.overwrite { IfChanged::Overwrite } else { IfChanged::Refuse };
    let mut results = Vec::new();
    for (mount, mut paths) in place::by_volume(&volumes, &arguments.paths)? {
        if paths.is_empty() {
            paths.push(Bytes::Text(String::new()));
        }
        let mut progress = Progress::new(format);
        progress.step(&format!("writing to {mount} in the pod"));
        let take = |answer| match answer {
            Answer::WrittenBack(written) => Some(written),
            _ => None,
        };
        let question = Question::WriteBack { mount: mount.clone(), paths, if_changed };
        let written = session.ask(&question, |_| (), take).await.map_err(|failure| match failure.report.code {
            Code::VolumeChanged => failure.with_hint("copy it again with `towline files get` to see what is there now, or overwrite it with --overwrite"),
            _ => failure,
        })?;
        progress.done();
        results.push(Written { mount, written });
    }
    if format == Format::Json {
        output::json(&results);
        return Ok(());
    }
    for Written { mount, written } in &results {
        let line = format!(
            "{mount}: {} written, {}\n",
            count(written.files.len() as u64),
            human(written.bytes)
        );
        output::print(line.as_bytes());
    }
    Ok(())
}

#[derive(Serialize)]
struct Written {
    mount: String,
    #[serde(flatten)]
    written: WrittenBack,
}
