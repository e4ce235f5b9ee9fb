//! `towline files get`.

use std::path::PathBuf;

use serde::Serialize;
use towline_core::volumes::door::{Answer, Question};
use towline_core::volumes::{Fetched, Limit, Progress as Far, human};

use super::{Session, count, place, size};
use crate::arguments::{Format, GetFilesArguments};
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;

pub(super) async fn run(arguments: GetFilesArguments) -> Result<(), Failure> {
    let session = Session::find(arguments.which.session.as_deref())?;
    let volumes = session.volumes().await?;
    let format = arguments.output.output;
    let limit = Limit { bytes: arguments.limit, entries: arguments.most_files };
    let mut results = Vec::new();
    for (mount, paths) in place::by_volume(&volumes, &arguments.paths)? {
        if let Some(pod) = &arguments.pod {
            session.choose_pod(&mount, pod).await?;
        }
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
