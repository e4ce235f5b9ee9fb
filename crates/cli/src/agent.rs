//! `towline agent`: the agent's image out of this program, so that nobody depends on an image that somebody else publishes.

mod credentials;
mod push;
mod save;

use std::fs;

use serde::Serialize;
use towline_core::report::Code;
use towline_image::{Architecture, Image, agent_image};

use crate::arguments::{AgentCommand, SourceArguments};
use crate::failure::Failure;

/// The agents that this program carries; see `build.rs`.
const CARRIED: &[(Architecture, &[u8])] = include!(concat!(env!("OUT_DIR"), "/agents.rs"));

pub(crate) async fn run(command: AgentCommand) -> Result<(), Failure> {
    match command {
        AgentCommand::Save(arguments) => save::run(&arguments),
        AgentCommand::Push(arguments) => push::run(&arguments).await,
    }
}

/// What was done with an image.
#[derive(Serialize)]
struct Done {
    reference: String,
    digest: String,
    architectures: Vec<&'static str>,
}

/// One image for each processor that there is an agent for, all called `reference`.
fn images(source: &SourceArguments, reference: &str) -> Result<Vec<Image>, Failure> {
    if source.binaries.is_empty() {
        if CARRIED.is_empty() {
            let hint = "build it with `cargo xtask build`, or name an agent with --binary FILE";
            return Err(
                Failure::new(Code::Input, "this build of towline carries no agent").with_hint(hint)
            );
        }
        return CARRIED
            .iter()
            .map(|(architecture, binary)| image(binary, *architecture, reference))
            .collect();
    }
    let mut images: Vec<Image> = Vec::new();
    for file in &source.binaries {
        let unreadable = |error| {
            Failure::new(Code::Input, format!("cannot read the agent {}: {error}", file.display()))
        };
        let binary = fs::read(file).map_err(unreadable)?;
        let architecture = architecture(&binary).ok_or_else(|| {
            Failure::new(
                Code::Input,
                format!("{} is no Linux program for amd64 or arm64", file.display()),
            )
            .with_hint("`cargo xtask agent-image` builds the agent")
        })?;
        if images.iter().any(|image| image.architecture() == architecture) {
            return Err(Failure::new(
                Code::Input,
                format!("--binary names two agents for {architecture}"),
            ));
        }
        images.push(image(&binary, architecture, reference)?);
    }
    Ok(images)
}

fn image(binary: &[u8], architecture: Architecture, reference: &str) -> Result<Image, Failure> {
    agent_image(binary, architecture, reference)
        .map_err(|error| Failure::new(Code::Input, error.to_string()))
}

// elf(5): e_machine at 18, little endian. Whether it is an ELF at all is checked where the image is made.
fn architecture(binary: &[u8]) -> Option<Architecture> {
    match binary.get(18..20)? {
        [62, 0] => Some(Architecture::Amd64),
        [183, 0] => Some(Architecture::Arm64),
        _ => None,
    }
}
