//! `cargo xtask test`: everything that must hold before a change lands.

use std::{
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::{Args, Parser, ValueEnum};

use crate::{
    agent::{self, cargo, run},
    deny, desktop, elevation, fuzz,
    programs::{Programs, Scope, TestProgram},
    progress::{seconds, step},
    sandbox::{self, Sandbox, packages},
    stage::{Stage, path},
    ui, webkit,
};

/// Whose tests are for another part than `unit`.
const NO_UNIT_TESTS: [&str; 3] = ["tests/cluster", "tests/desktop", "tests/elevation"];

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

/// What comes behind `cargo xtask test PART --`.
#[derive(Parser)]
#[command(name = "cargo xtask test PART --", max_term_width = 100)]
pub(crate) struct Selection {
    /// Only the test program of this name; can be repeated.
    #[arg(long = "test", value_name = "NAME")]
    names: Vec<String>,
    /// For each of the test programs: a test's name, `--nocapture` and the like.
    #[arg(last = true)]
    arguments: Vec<String>,
}

impl Selection {
    fn parse_from_extra(extra: &[String]) -> Result<Self> {
        let name = "cargo xtask test PART --".to_owned();
        Ok(Self::try_parse_from(std::iter::once(&name).chain(extra))?)
    }

    fn is_everything(&self) -> bool {
        self.names.is_empty() && self.arguments.is_empty()
    }

    /// Whether the user asks for the tests of this module.
    fn names(&self, module: &str) -> bool {
        self.arguments.iter().any(|argument| argument.starts_with(module))
    }

    /// Whether the user wants this test program.
    pub(crate) fn has(&self, test: &TestProgram) -> bool {
        self.names.is_empty() || self.names.contains(&test.name)
    }

    /// What the test programs get, when they are to run that many tests at once.
    pub(crate) fn arguments(&self, threads: &str) -> Vec<String> {
        let mut arguments = self.arguments.clone();
        if !arguments.iter().any(|argument| argument.starts_with("--test-threads")) {
            arguments.push(format!("--test-threads={threads}"));
        }
        arguments
    }
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

    /// What its tests are in, and what they try, when it is the only part that runs.
    fn scope(self) -> Scope {
        match self {
            Self::Elevation => Scope::Packages(&["towline-helper", "towline-elevation-tests"]),
            Self::Cluster => Scope::Packages(&[
                agent::PACKAGE,
                "towline-app",
                "towline-helper",
                "towline-cluster-tests",
                sandbox::DNS,
            ]),
            Self::Desktop => Scope::Packages(&[
                agent::PACKAGE,
                desktop::PACKAGE,
                "towline-helper",
                "towline-desktop-tests",
                sandbox::DNS,
            ]),
            _ => Scope::Everything,
        }
    }
}

/// What the parts have in common.
struct Run<'a> {
    scope: Scope,
    extra: &'a [String],
    /// Built when the first part needs them.
    programs: Option<Programs>,
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
        Selection::parse_from_extra(self.extra)
    }

    fn programs(&mut self) -> Result<&Programs> {
        let programs = match self.programs.take() {
            Some(programs) => programs,
            None => step("tests and what they try", || Programs::build(self.scope))?,
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
    let code = report(&run_each(&parts, Run { scope, extra: &arguments.extra, programs: None }));
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
        let failed = results.iter().any(|(_, outcome, _)| matches!(outcome, Outcome::Failed(_)));
        if failed && !part.is_cheap() {
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
    let arguments = [&["--quiet".to_owned()], selection.arguments.as_slice()].concat();
    programs.test(
        |test| {
            !NO_UNIT_TESTS.map(Path::new).contains(&test.directory.as_path()) && selection.has(test)
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
        |test| test.directory == Path::new("tests/cluster") && selection.has(test),
        &arguments,
        |test| stage.tell(test).map(drop),
    )?;
    let ignored = [arguments.as_slice(), &["--ignored".to_owned()]].concat();
    if selection.is_everything() || selection.names(SECOND) {
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
        |test| test.directory == Path::new("crates/app"),
        &ignored,
        |test| stage.tell(test).map(drop),
    )
}
