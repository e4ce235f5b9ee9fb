//! `cargo xtask bench`: Towline beside what there is to compare it with, in one run on one cluster.

mod program;
mod window;

use std::path::Path;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::{
    agent::{self, Profile},
    programs::Products,
    progress::{seconds, step},
    sandbox::{self, Sandbox},
    stage::Stage,
};

#[derive(Args)]
pub(crate) struct Arguments {
    /// What is measured; everything without.
    part: Option<Part>,
    /// How often each way of the traffic is measured; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Leave the sandbox cluster up afterwards. One that was up before stays up anyway.
    #[arg(long)]
    keep: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Bytes and connections, beside kubectl port-forward and beside no tunnel; connecting and restoring, beside a rollout.
    Traffic,
    /// The window: start, memory, first rows of a large cluster, CPU while it changes, a log of 20,000 lines a second.
    Window,
    /// This machine's side: 1,000 services by name, the first byte by name, a volume of 1 GiB, a config map that changes.
    Machine,
}

impl Part {
    const ALL: [Self; 3] = [Self::Traffic, Self::Window, Self::Machine];

    fn name(self) -> &'static str {
        match self {
            Self::Traffic => "traffic",
            Self::Window => "window",
            Self::Machine => "machine",
        }
    }

    fn measure(
        self,
        sandbox: &Sandbox,
        stage: &Stage<'_>,
        application: Option<&Path>,
        rounds: usize,
    ) -> Result<()> {
        match self {
            Self::Traffic => program::traffic(sandbox, stage, rounds),
            Self::Window => {
                window::measure(stage, application.context("the application is built")?)
            }
            Self::Machine => program::machine(stage),
        }
    }
}

/// Measures, and prints the tables. A part that fails does not keep the others from being measured.
pub(crate) fn run_bench(arguments: &Arguments) -> Result<()> {
    let parts = match arguments.part {
        Some(part) => vec![part],
        None => Part::ALL.to_vec(),
    };
    let before = sandbox::is_up()?;
    let sandbox = sandbox::up()?;
    let result = measure(&sandbox, &parts, arguments.rounds);
    if !before && !arguments.keep {
        sandbox::down(&sandbox)?;
    }
    result
}

fn measure(sandbox: &Sandbox, parts: &[Part], rounds: usize) -> Result<()> {
    let (application, command_line) = if parts.contains(&Part::Window) {
        let Products { application, command_line } = Products::build()?;
        (Some(application), command_line)
    } else {
        (None, step("towline", || agent::command_line(Profile::Release))?)
    };
    let stage = Stage::set(sandbox, command_line)?;
    let mut result = Ok(());
    for part in parts {
        println!("\n━━ {}\n", part.name());
        let start = std::time::Instant::now();
        if let Err(error) = part.measure(sandbox, &stage, application.as_deref(), rounds) {
            eprintln!("error: {}: {error:#}", part.name());
            result = result.and(Err(error.context(part.name())));
        }
        eprintln!("━━ {}: {}", part.name(), seconds(start.elapsed()));
    }
    result
}
