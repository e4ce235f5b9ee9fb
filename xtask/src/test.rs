//! `cargo xtask test`: everything that must hold before a change lands.

mod part;
mod selection;

use std::{
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::Args;

use self::part::Part;
pub(crate) use self::selection::Selection;
use crate::{
    agent::{cargo, run},
    deny, desktop, elevation, fuzz,
    programs::{Programs, Scope},
    progress::{seconds, step},
    sandbox::{self, Sandbox, packages},
    stage::{Stage, path},
    ui, webkit,
};

/// Whose tests are for another part than `unit`.
const NO_UNIT_TESTS: [&str; 3] = ["tests/cluster", "tests/desktop", "tests/elevation"];

/// Whose tests that need a cluster stand beside the others, and are ignored without one.
const ON_A_CLUSTER: [&str; 2] = ["crates/app", "crates/workload"];

/// The module of the tests that need a second cluster beside the first. Without it they are ignored.
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
    /// For `unit`, `elevation`, `cluster` and `desktop`: which test programs, and what they get, for instance `-- -- restore:: --nocapture`.
    #[arg(last = true, requires = "part")]
    extra: Vec<String>,
}

/// What the parts have in common.
struct Run<'a> {
    scope: Scope,
    extra: &'a [String],
    /// Built when the first part needs them.
    programs: Option<Programs>,
    /// They could not be built: no part that needs them can run.
    cannot_build: bool,
}

impl Run<'_> {
    fn check(&mut self, part: Part) -> Result<()> {
        match part {
            Part::Format => run(cargo().args(["fmt", "--all", "--check"]), "check the format"),
            Part::Lint => lint(),
            Part::Deny => deny::check(),
            Part::Unit => {
                let selection = self.selection()?;
                unit(self.programs()?, &selection)
            }
            Part::Fuzz => fuzz::test(self.extra),
            Part::Ui => ui::test(),
            Part::Elevation => {
                let selection = self.selection()?;
                elevation::test(self.programs()?, &selection)
            }
            Part::Cluster => {
                let selection = self.selection()?;
                let programs = self.programs()?;
                let sandbox = sandbox::up_with(programs.path(sandbox::DNS)?)?;
                cluster(programs, &stage(&sandbox, programs)?, &selection)
            }
            Part::Desktop => {
                let selection = self.selection()?;
                let programs = self.programs()?;
                let sandbox = sandbox::up_with(programs.path(sandbox::DNS)?)?;
                desktop::test(programs, &stage(&sandbox, programs)?, &selection)
            }
        }
    }

    fn selection(&self) -> Result<Selection> {
        Selection::parse(self.extra)
    }

    fn programs(&mut self) -> Result<&Programs> {
        let programs = match self.programs.take() {
            Some(programs) => programs,
            None => {
                let built = step("tests and what they try", || Programs::build(self.scope));
                self.cannot_build = built.is_err();
                built?
            }
        };
        Ok(self.programs.insert(programs))
    }
}

fn stage<'a>(sandbox: &'a Sandbox, programs: &Programs) -> Result<Stage<'a>> {
    Stage::set(sandbox, programs.path("towline")?.to_owned())
}

enum Outcome {
    Passed,
    Failed(anyhow::Error),
    Skipped,
}

/// Runs the parts and prints a table. The exit status is 1 when one failed. The cluster is as before afterwards: up or down.
pub(crate) fn run_parts(arguments: &Arguments) -> ExitCode {
    let (parts, scope) = match arguments.part {
        Some(part) => (vec![part], part.scope()),
        None => (Part::ALL.to_vec(), Scope::Everything),
    };
    let stays = arguments.keep
        || !parts.iter().any(|part| part.needs_cluster())
        || sandbox::is_up().unwrap_or(true);
    let run = Run { scope, extra: &arguments.extra, programs: None, cannot_build: false };
    let code = report(&run_each(&parts, run));
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

fn run_each(parts: &[Part], mut run: Run<'_>) -> Vec<(Part, Outcome, Duration)> {
    let mut results: Vec<(Part, Outcome, Duration)> = Vec::new();
    for &part in parts {
        let refused = results
            .iter()
            .any(|(part, outcome, _)| part.is_static() && matches!(outcome, Outcome::Failed(_)));
        if (refused && !part.is_static()) || run.cannot_build {
            results.push((part, Outcome::Skipped, Duration::ZERO));
            continue;
        }
        eprintln!("\n━━ {}", part.name());
        let start = Instant::now();
        let outcome = match run.check(part) {
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

fn unit(programs: &Programs, selection: &Selection) -> Result<()> {
    let sandbox = Sandbox::from_environment()?;
    // Pushing the agent's image is tried on a real registry.
    packages::unpack(&sandbox, "docker-registry", "usr/bin/docker-registry")?;
    let path = path(&sandbox)?;
    let arguments = [&["--quiet".to_owned()], selection.chosen()].concat();
    programs.test(
        |test| {
            !NO_UNIT_TESTS.map(Path::new).contains(&test.directory.as_path())
                && selection.has(&test.name)
        },
        &arguments,
        |test| {
            test.env("PATH", &path);
            Ok(())
        },
    )?;
    if !selection.is_everything() {
        return Ok(());
    }
    let mut test = cargo();
    test.args(["test", "--quiet", "--locked", "--doc"]).args(Scope::Everything.arguments());
    run(&mut test, "the documentation's examples")
}

fn cluster(programs: &Programs, stage: &Stage<'_>, selection: &Selection) -> Result<()> {
    let arguments = selection.arguments(CLUSTER_THREADS);
    programs.test(
        |test| test.directory == Path::new("tests/cluster") && selection.has(&test.name),
        &arguments,
        |test| stage.tell(test).map(drop),
    )?;
    let ignored = [arguments.as_slice(), &["--ignored".to_owned()]].concat();
    if selection.is_everything() || selection.names_tests_of(SECOND) {
        let second = stage.second()?;
        let two = [ignored.as_slice(), &[SECOND.to_owned()]].concat();
        programs.test(
            |test| test.directory == Path::new("tests/cluster"),
            &two,
            |test| {
                second.tell(stage.tell(test)?);
                Ok(())
            },
        )?;
        second.down()?;
    }
    // Somebody who names tests names those of the command line.
    if !selection.is_everything() {
        return Ok(());
    }
    programs.test(
        |test| ON_A_CLUSTER.map(Path::new).contains(&test.directory.as_path()),
        &ignored,
        |test| stage.tell(test).map(drop),
    )
}
