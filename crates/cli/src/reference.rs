//! `towline completions` and `towline man`: made of the same definition as `--help`.

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use towline_core::report::Code;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::output;

pub(crate) fn completions(shell: Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "towline", &mut script);
    output::print(&script);
}

pub(crate) fn man(directory: Option<&Path>) -> Result<(), Failure> {
    let Some(directory) = directory else {
        let mut page = Vec::new();
        let made = Man::new(Arguments::command()).render(&mut page);
        made.map_err(|error| not_written(Path::new("-"), &error))?;
        output::print(&page);
        return Ok(());
    };
    fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), directory))
        .map_err(|error| not_written(directory, &error))
}

fn not_written(place: &Path, error: &io::Error) -> Failure {
    Failure::new(
        Code::Input,
        format!("cannot write the manual pages to {}: {error}", place.display()),
    )
    .with_hint("name a directory that you may write to, with --output")
}
