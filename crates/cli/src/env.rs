//! `towline env`.

use towline_core::environment::{Environment, dotenv, formats};
use towline_core::report::Code;

use crate::arguments::{EnvArguments, EnvForm, Format};
use crate::failure::Failure;
use crate::{output, running};

pub(crate) fn run(arguments: &EnvArguments) -> Result<(), Failure> {
    let (entry, _) = running::session(arguments.session.as_deref())?;
    let read = Environment::of_session(&entry.directory).map_err(|error| {
        let message =
            format!("the environment of session {} cannot be read: {error}", entry.session);
        Failure::new(Code::Input, message)
    })?;
    let environment = read.ok_or_else(|| {
        let message =
            format!("session {} on {} has no environment yet", entry.session, entry.workload);
        Failure::new(Code::Input, message).with_hint("it has one as soon as it is connected")
    })?;
    match (arguments.output.output, arguments.form) {
        (Format::Json, _) => output::json(&environment),
        (Format::Text, EnvForm::Dotenv) => output::print(&dotenv::write(&environment)),
        (Format::Text, EnvForm::Shell) => output::print(&Vec::from(formats::shell(&environment))),
        (Format::Text, EnvForm::Powershell) => {
            output::print(formats::powershell(&environment).as_bytes())
        }
        (Format::Text, EnvForm::Docker) => output::print(formats::docker(&environment).as_bytes()),
        (Format::Text, EnvForm::LaunchJson) => {
            let title = format!("{} (Towline)", entry.workload.name);
            output::print(formats::launch_json(&environment, &title).as_bytes());
        }
    }
    Ok(())
}
