//! `cargo xtask test`: everything that must hold before a change lands.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::{
    agent::{cargo, run},
    deny, desktop, elevation, fuzz,
    progress::seconds,
    sandbox::{self, Sandbox, packages},
    stage::{Stage, path},
    ui, webkit,
};

/// The tests that need a second cluster beside the first. Without it they are ignored.
const SECOND: &str = "two_clusters";

/// How many tests run at once on the cluster: most of their time is waiting for it.
const CLUSTER_THREADS: &str = "4";

#[derive(Args)]
pub(crate) struct Arguments {
    /// The part to run; all of them without.
    part: Option<Part>,
    /// Leave the sandbox cluster up afterwards. One that was up before stays up anyway.
    #[arg(long)]
    keep: bool,
    /// For `unit`, `elevation`, `cluster` and `desktop`: what `cargo test` gets besides, for instance `-- --test restore -- --nocapture`.
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
    /// Helper frames, hosts file, project file and the tunnel's headers, fuzzed for 20 s each: `-- --seconds 600` for longer, `-- TARGET` for one, `-- TARGET INPUT` to repeat one input.
    Fuzz,
    /// The window's own part: checks, unit tests, and every screen in a browser on a fake backend.
    Ui,
    /// The helper with the superuser's rights: polkit, users without rights, private copies of what it changes. Needs root.
    Elevation,
    /// End to end, on the sandbox cluster.
    Cluster,
    /// End to end, through the real window, on the sandbox cluster.
    Desktop,
}

impl Part {
    const ALL: [Self; 9] = [
        Self::Format,
        Self::Lint,
        Self::Deny,
        Self::Unit,
        Self::Fuzz,
        Self::Ui,
        Self::Elevation,
        Self::Cluster,
        Self::Desktop,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Lint => "lint",
            Self::Deny => "deny",
            Self::Unit => "unit",
            Self::Fuzz => "fuzz",
            Self::Ui => "ui",
            Self::Elevation => "elevation",
            Self::Cluster => "cluster",
            Self::Desktop => "desktop",
        }
    }

    /// Cheap parts all run, so that one run tells all that is wrong; after a failure the others do not.
    fn is_cheap(self) -> bool {
        matches!(self, Self::Format | Self::Lint | Self::Deny)
    }

    fn needs_cluster(self) -> bool {
        matches!(self, Self::Cluster | Self::Desktop)
    }

    fn check(self, arguments: &Arguments) -> Result<()> {
        match self {
            Self::Format => run(cargo().args(["fmt", "--all", "--check"]), "check the format"),
            Self::Lint => lint(),
            Self::Deny => deny::check(),
            Self::Unit => unit(&arguments.extra),
            Self::Fuzz => fuzz::test(&arguments.extra),
            Self::Ui => ui::test(),
            Self::Elevation => elevation::test(&arguments.extra),
            Self::Cluster => cluster(&Stage::set(&sandbox::up()?)?, &arguments.extra),
            Self::Desktop => desktop::test(&Stage::set(&sandbox::up()?)?, &arguments.extra),
        }
    }
}

enum Outcome {
    Passed,
    Failed(anyhow::Error),
    Skipped,
}

/// Runs the parts and prints a table. The exit status is 1 when one failed. The cluster is as before afterwards: up or down.
pub(crate) fn run_parts(arguments: &Arguments) -> ExitCode {
    let parts = match arguments.part {
        Some(part) => vec![part],
        None => Part::ALL.to_vec(),
    };
    let stays = arguments.keep
        || !parts.iter().any(|part| part.needs_cluster())
        || sandbox::is_up().unwrap_or(true);
    let code = report(&run_each(&parts, arguments));
    if stays {
        return code;
    }
    match Sandbox::from_environment().and_then(|sandbox| sandbox::down(&sandbox)) {
        Ok(()) => code,
        Err(error) => {
            eprintln!("error: take the sandbox cluster down: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_each(parts: &[Part], arguments: &Arguments) -> Vec<(Part, Outcome, Duration)> {
    let mut results: Vec<(Part, Outcome, Duration)> = Vec::new();
    for &part in parts {
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
    results
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

fn lint() -> Result<()> {
    webkit::ensure()?;
    run(
        cargo()
            .args(["clippy", "--quiet", "--locked", "--workspace", "--all-targets"])
            .args(["--", "--deny", "warnings"]),
        "lint",
    )
}

fn unit(extra: &[String]) -> Result<()> {
    webkit::ensure()?;
    let sandbox = Sandbox::from_environment()?;
    // Pushing the agent's image is tried on a real registry.
    packages::unpack(&sandbox, "docker-registry", "usr/bin/docker-registry")?;
    let mut test = cargo();
    test.args(["test", "--quiet", "--locked", "--workspace"])
        .args(["--exclude", "towline-cluster-tests", "--exclude", "towline-desktop-tests"])
        .args(["--exclude", "towline-elevation-tests"])
        .args(extra)
        .env("PATH", path(&sandbox)?);
    run(&mut test, "unit tests")
}

fn cluster(stage: &Stage<'_>, extra: &[String]) -> Result<()> {
    let (for_cargo, for_tests) = desktop::split(extra);
    let mut test = cargo();
    test.args(["test", "--locked", "--no-fail-fast", "--package", "towline-cluster-tests"])
        .args(for_cargo)
        .args(["--", "--test-threads", CLUSTER_THREADS])
        .args(for_tests);
    run(stage.tell(&mut test)?, "tests on the cluster")?;
    if extra.is_empty() || extra.iter().any(|word| word == SECOND) {
        second_cluster(stage)?;
    }
    // Somebody who names tests names those of the command line.
    if !extra.is_empty() {
        return Ok(());
    }
    let mut test = cargo();
    test.args(["test", "--locked", "--no-fail-fast", "--package", "towline-app", "--tests"])
        .args(["--", "--ignored", "--test-threads", CLUSTER_THREADS]);
    run(stage.tell(&mut test)?, "the application's tests on the cluster")
}

fn second_cluster(stage: &Stage<'_>) -> Result<()> {
    let mut test = cargo();
    test.args(["test", "--locked", "--no-fail-fast", "--package", "towline-cluster-tests"]).args([
        "--test",
        SECOND,
        "--",
        "--ignored",
        "--test-threads",
        CLUSTER_THREADS,
    ]);
    let second = stage.second(&mut test)?;
    run(stage.tell(&mut test)?, "tests on two clusters")?;
    second.down()
}
