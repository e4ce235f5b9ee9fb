//! What users get, and what the tests are with the programs that they try: each built by one call of cargo.
//!
//! Cargo chooses the features of a dependency by the packages that are selected, so a call for each part would compile a part of the dependencies once
//! more for each. And what has been built is run as it is, not by `cargo test`, which would choose anew.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use cargo_metadata::Message;

use crate::{
    agent::{self, Profile, cargo, run},
    desktop, paths,
    progress::step,
    sandbox, ui, webkit,
};

/// The programs that tests of other packages try or need: package and program.
const TRIED: [(&str, &str); 4] = [
    (agent::PACKAGE, "towline"),
    (desktop::PACKAGE, "towline-app"),
    ("towline-helper", "towline-helper"),
    (sandbox::DNS, sandbox::DNS),
];

/// What a user installs.
pub(crate) struct Products {
    pub(crate) application: PathBuf,
    /// With the agent inside.
    pub(crate) command_line: PathBuf,
}

impl Products {
    /// Builds them, optimised, and the helper beside them, where both look for it.
    pub(crate) fn build() -> Result<Self> {
        webkit::ensure()?;
        ui::build()?;
        step("towline and towline-app", || {
            let scope = Scope::Packages(&[agent::PACKAGE, desktop::PACKAGE, "towline-helper"]);
            let mut cargo = cargo();
            cargo.args(["build", "--quiet", "--locked", "--release"]).args(scope.arguments());
            agent::carry(&mut cargo)?;
            run(&mut cargo, "build the application and the command line")
        })?;
        let directory = paths::target().join(Profile::Release.directory());
        Ok(Self {
            application: directory.join("towline-app"),
            command_line: directory.join("towline"),
        })
    }
}

/// What cargo is to build.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope {
    /// The workspace.
    Everything,
    /// These packages: less to build, for somebody who tries one part.
    Packages(&'static [&'static str]),
}

impl Scope {
    /// What tells cargo.
    pub(crate) fn arguments(self) -> Vec<&'static str> {
        let mut arguments = match self {
            Self::Everything => vec!["--workspace"],
            Self::Packages(packages) => {
                packages.iter().flat_map(|package| ["--package", package]).collect()
            }
        };
        if self.has(desktop::PACKAGE) {
            arguments.extend(["--features", desktop::FEATURES]);
        }
        arguments
    }

    fn has(self, package: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Packages(packages) => packages.contains(&package),
        }
    }
}

/// What was built.
pub(crate) struct Programs {
    tests: Vec<TestProgram>,
    others: HashMap<String, PathBuf>,
}

/// The tests of a library or a program, or one of the files in `tests/`.
pub(crate) struct TestProgram {
    /// The package's directory below the repository's root, `crates/core` for one.
    pub(crate) directory: PathBuf,
    /// What cargo calls it.
    pub(crate) name: String,
    executable: PathBuf,
}

impl Programs {
    /// Builds, without optimisation. The command line carries the agent when the desktop or the command line is in the scope.
    pub(crate) fn build(scope: Scope) -> Result<Self> {
        if scope.has(desktop::PACKAGE) {
            webkit::ensure()?;
            // The application carries the page.
            ui::build()?;
        }
        let mut cargo = cargo();
        cargo.args(["build", "--quiet", "--locked", "--tests"]).args(scope.arguments());
        // Not all: this program is one, and runs.
        for (_, program) in TRIED.iter().filter(|(package, _)| scope.has(package)) {
            cargo.args(["--bin", program]);
        }
        cargo.arg("--message-format=json-render-diagnostics");
        if scope.has(agent::PACKAGE) {
            agent::carry(&mut cargo)?;
        }
        let said = cargo
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .output()
            .context("build the tests: start cargo")?;
        if !said.status.success() {
            bail!("build the tests: cargo ended with {}", said.status);
        }
        let mut programs = Self { tests: Vec::new(), others: HashMap::new() };
        for message in Message::parse_stream(said.stdout.as_slice()) {
            let message = message.context("read what cargo has built")?;
            let Message::CompilerArtifact(artifact) = message else { continue };
            let Some(executable) = artifact.executable else { continue };
            let (name, executable) = (artifact.target.name, executable.into_std_path_buf());
            if artifact.profile.test {
                let manifest = artifact.manifest_path.into_std_path_buf();
                let directory = manifest.parent().unwrap_or(paths::root());
                let directory = directory.strip_prefix(paths::root())?.to_owned();
                programs.tests.push(TestProgram { directory, name, executable });
            } else {
                programs.others.insert(name, executable);
            }
        }
        programs.tests.sort_by(|a, b| (&a.directory, &a.name).cmp(&(&b.directory, &b.name)));
        Ok(programs)
    }

    /// Where a program is that is no test.
    pub(crate) fn path(&self, name: &str) -> Result<&Path> {
        let path = self.others.get(name);
        Ok(path.with_context(|| format!("cargo has not built {name}"))?)
    }

    /// Runs the tests that `selected` takes, each in its package's directory and after `told` has set what it reads. All run, also after a failure.
    pub(crate) fn test(
        &self,
        selected: impl Fn(&TestProgram) -> bool,
        arguments: &[String],
        told: impl Fn(&mut Command) -> Result<()>,
    ) -> Result<()> {
        let selected: Vec<_> = self.tests.iter().filter(|test| selected(test)).collect();
        if selected.is_empty() {
            let names: Vec<_> = self.tests.iter().map(|test| test.name.as_str()).collect();
            bail!("no test program is called so; there are {}", names.join(", "));
        }
        let mut failures = Vec::new();
        for test in selected {
            let what = format!("{}, {}", test.directory.display(), test.name);
            eprintln!("\n{what}");
            let directory = paths::root().join(&test.directory);
            let mut command = Command::new(&test.executable);
            command.current_dir(&directory).env("CARGO_MANIFEST_DIR", &directory).args(arguments);
            told(&mut command)?;
            if let Err(error) = run(&mut command, &what) {
                eprintln!("error: {error:#}");
                failures.push(what);
            }
        }
        if !failures.is_empty() {
            bail!("tests failed: {}", failures.join("; "));
        }
        Ok(())
    }
}
