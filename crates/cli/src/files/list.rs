//! `towline files list`.

use jiff::Timestamp;
use towline_core::volumes::door::{Answer, Question};
use towline_core::volumes::{EntryKind, Handling, Listed, Volume, human};

use super::place::{self, Place, place};
use super::{Session, count, size};
use crate::arguments::{Format, ListFilesArguments};
use crate::failure::Failure;
use crate::output;

pub(super) async fn run(arguments: ListFilesArguments) -> Result<(), Failure> {
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
        let header = ["VOLUME", "KIND", "SOURCE", "WRITABLE", "POD", "STATE"];
        output::rows(format, &volumes, &header, "the container has no volumes", |volume| {
            let planned = &volume.planned;
            let source = planned.source.clone().unwrap_or_else(|| planned.name.clone());
            let writable = if planned.read_only { "no" } else { "yes" };
            vec![
                planned.mount_path.clone(),
                planned.kind.words().to_owned(),
                source,
                writable.to_owned(),
                volume.pod.clone().unwrap_or_else(|| "-".to_owned()),
                state(volume),
            ]
        });
        return Ok(());
    };
    let Place { mount, path, .. } = place(&volumes, &path)?;
    if let Some(pod) = &arguments.pod {
        session.choose_pod(&mount, pod).await?;
    }
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
        output::complain("… and more; of all that is there, directories come before files");
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
