//! `cargo xtask`: the project's own commands. What each one does is in its `--help`.

mod agent;
mod bench;
mod bundle;
mod demo;
mod deny;
mod desktop;
mod elevation;
mod fuzz;
mod paths;
mod platforms;
mod programs;
mod progress;
mod sandbox;
mod shop;
mod stage;
mod test;
mod tool;
mod ui;
mod webkit;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A real Kubernetes cluster on this machine, in a network and process namespace of its own.
    Sandbox(sandbox::Arguments),
    /// The sample application on the sandbox cluster, the window on it, and what to try.
    Demo(demo::Arguments),
    /// Everything that must hold before a change lands.
    Test(test::Arguments),
    /// Towline measured: traffic, the window, this machine's side.
    Bench(bench::Arguments),
    /// The agent's image as an archive that containerd, Docker and kind load. Prints its reference.
    AgentImage(agent::ImageArguments),
    /// The agent, and the command line that carries it. Prints their paths.
    Build(agent::BuildArguments),
    /// The Debian package: desktop application and command line. Prints its path.
    Bundle,
    /// Whether the code for macOS and Windows compiles, seen from this machine.
    Platforms(platforms::Arguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Sandbox(arguments) => return sandbox::run(&arguments),
        Command::Test(arguments) => return Ok(test::run_parts(&arguments)),
        Command::Demo(arguments) => demo::run(&arguments)?,
        Command::Bench(arguments) => bench::run_bench(&arguments)?,
        Command::AgentImage(arguments) => agent::run_image(&arguments)?,
        Command::Build(arguments) => agent::run_build(&arguments)?,
        Command::Bundle => bundle::run_bundle()?,
        Command::Platforms(arguments) => platforms::execute(&arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}
