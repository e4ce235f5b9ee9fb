//! `towline agent save`.

use std::io::{self, Write};
use std::path::Path;

use towline_core::report::Code;
use towline_image::{DEFAULT_REFERENCE, Image};

use super::{Done, images};
use crate::arguments::{Format, SaveArguments};
use crate::failure::Failure;
use crate::output;

pub(super) fn run(arguments: &SaveArguments) -> Result<(), Failure> {
    let reference = arguments.reference.as_deref().unwrap_or(DEFAULT_REFERENCE);
    let mut images = images(&arguments.source, reference)?.into_iter();
    let found = match arguments.arch {
        None => images.next(),
        Some(wanted) => images.find(|image| image.architecture() == wanted),
    };
    let Some(image) = found else {
        let wanted = arguments.arch.unwrap_or_default();
        let hint = format!(
            "name one with --binary FILE, or build it with `cargo xtask agent-image --arch {wanted}`"
        );
        return Err(Failure::new(Code::Input, format!("there is no agent for {wanted} here"))
            .with_hint(hint));
    };
    if arguments.file == Path::new("-") {
        return to_stdout(&image);
    }
    image.save(&arguments.file).map_err(|error| {
        let detail = towline_core::report::causes(&error).unwrap_or_default();
        Failure::new(
            Code::Input,
            format!("{error}: {}", detail.lines().next().unwrap_or("unknown cause")),
        )
    })?;
    match arguments.output.output {
        Format::Json => output::json(&Done {
            reference: image.reference().to_owned(),
            digest: image.manifest().digest().to_string(),
            architectures: vec![image.architecture().as_str()],
        }),
        Format::Text => output::print(format!("{}\n", image.reference()).as_bytes()),
    }
    Ok(())
}

fn to_stdout(image: &Image) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let failed = |why: String| {
        Failure::new(Code::Input, format!("cannot write the archive to standard output: {why}"))
    };
    if console::user_attended() {
        return Err(failed("it is a terminal".to_owned())
            .with_hint("name a file, or pipe it into a loader"));
    }
    image.write_to(&mut stdout).map_err(|error| failed(error.to_string()))?;
    stdout.flush().map_err(|error| failed(error.to_string()))
}
