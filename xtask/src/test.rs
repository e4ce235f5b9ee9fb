//! `cargo xtask test`: everything that must hold before a change lands.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::{
    agent::{cargo, run},
    deny,
    progress::seconds,
    sandbox::{self, Sandbox, packages},
    stage::{Stage, path},
};

/// How many tests run at once on the cluster: most of their time is waiting for it.
const CLUSTER_THREADS: &str = "4";

#[derive(Args)]
pub(crate) struct Arguments {
    /// The part to run; all of them without.
    part: Option<Part>,
    /// Leave the sandbox cluster up afterwards. One that was up before stays up anyway.
    #[arg(long)]
    keep: bool,
    /// For `unit` and `cluster`: what `cargo test` gets besides, for instance `-- --test restore -- --nocapture`.
    #[arg(last = true)]
    extra: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// rustfmt changes nothing.
    Format,
    /// clippy has nothing to say.
    Lint,
    /// Licences, sources and duplicates of the dependencies.
    Deny,
    /// Unit, property and snapshot tests: all that needs no cluster.
    Unit,
    /// End to end, on the sandbox cluster.
    Cluster,
}

impl Part {
    const ALL: [Self; 5] = [Self::Format, Self::Lint, Self::Deny, Self::Unit, Self::Cluster];

    fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Lint => "lint",
            Self::Deny => "deny",
            Self::Unit => "unit",
            Self::Cluster => "cluster",
        }
    }

    /// Cheap parts all run, so that one run tells all that is wrong; after a failure the others do not.
    fn is_cheap(self) -> bool {
        matches!(self, Self::Format | Self::Lint | Self::Deny)
    }

    fn check(self, arguments: &Arguments) -> Result<()> {
        match self {
            Self::Format => run(cargo().args(["fmt", "--all", "--check"]), "check the format"),
            Self::Lint => run(
                cargo()
                    .args(["clippy", "--quiet", "--locked", "--workspace", "--all-targets"])
                    .args(["--", "--deny", "warnings"]),
                "lint",
            ),
            Self::Deny => deny::check(),
            Self::Unit => unit(&arguments.extra),
            Self::Cluster => cluster(arguments),
        }
    }
}

enum Outcome {
    Passed,
    Failed(anyhow::Error),
    Skipped,
}

/// Runs the parts and prints a table. The exit status is 1 when one failed.
pub(crate) fn run_parts(arguments: &Arguments) -> ExitCode {
    let parts = match arguments.part {
        Some(part) => vec![part],
        None => Part::ALL.to_vec(),
    };
    let mut results: Vec<(Part, Outcome, Duration)> = Vec::new();
    for part in parts {
        let failed = results.iter().any(|(_, outcome, _)| matches!(outcome, Outcome::Failed(_)));
        if failed && !part.is_cheap() {
            results.push((part, Outcome::Skipped, Duration::ZERO));
            continue;
        }
        eprintln!("\n━━ {}", part.name());
        let start = Instant::now();
        let outcome = match part.check(arguments) {
            Ok(()) => Outcome::Passed,
            Err(error) => {
                eprintln!("error: {error:#}");
                Outcome::Failed(error)
            }
        };
        eprintln!("━━ {}: {}", part.name(), seconds(start.elapsed()));
        results.push((part, outcome, start.elapsed()));
    }
    report(&results)
}

fn report(results: &[(Part, Outcome, Duration)]) -> ExitCode {
    println!("\n{:<10} {:<8} time", "part", "result");
    let mut code = ExitCode::SUCCESS;
    for (part, outcome, time) in results {
        let (result, note) = match outcome {
            Outcome::Passed => ("passed", String::new()),
            Outcome::Failed(error) => ("FAILED", format!("  {error:#}")),
            Outcome::Skipped => ("skipped", "  because an earlier part failed".to_owned()),
        };
        if !matches!(outcome, Outcome::Passed) {
            code = ExitCode::FAILURE;
        }
        println!("{:<10} {result:<8} {}{note}", part.name(), seconds(*time));
    }
    code
}

fn unit(extra: &[String]) -> Result<()> {
    let sandbox = Sandbox::from_environment()?;
    // Pushing the agent's image is tried on a real registry.
    packages::unpack(&sandbox, "docker-registry", "usr/bin/docker-registry")?;
    let mut test = cargo();
    test.args(["test", "--quiet", "--locked", "--workspace", "--exclude", "towline-cluster-tests"])
        .args(extra)
        .env("PATH", path(&sandbox)?);
    run(&mut test, "unit tests")
}

fn cluster(arguments: &Arguments) -> Result<()> {
    let before = sandbox::is_up()?;
    let sandbox = sandbox::up()?;
    let result = cluster_tests(&sandbox, &arguments.extra);
    if before || arguments.keep {
        return result;
    }
    result.and(sandbox::down(&sandbox))
}

fn cluster_tests(sandbox: &Sandbox, extra: &[String]) -> Result<()> {
    let stage = Stage::set(sandbox)?;
    let (for_cargo, for_tests) = match extra.iter().position(|word| word == "--") {
        Some(place) => (&extra[..place], &extra[place + 1..]),
        None => (extra, &[][..]),
    };
    let mut test = cargo();
    test.args(["test", "--locked", "--no-fail-fast", "--package", "towline-cluster-tests"])
        .args(for_cargo)
        .args(["--", "--test-threads", CLUSTER_THREADS])
        .args(for_tests);
    run(stage.tell(&mut test)?, "tests on the cluster")
}
