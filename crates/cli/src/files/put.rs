//! `towline files put`.

use serde::Serialize;
use towline_core::report::Code;
use towline_core::volumes::door::{Answer, Question};
use towline_core::volumes::{Bytes, IfChanged, WrittenBack, human};

use super::{Session, count, place};
use crate::arguments::{Format, PutFilesArguments};
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;

pub(super) async fn run(arguments: PutFilesArguments) -> Result<(), Failure> {
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
