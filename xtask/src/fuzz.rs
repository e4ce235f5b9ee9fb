//! `cargo xtask test fuzz`: the fuzzers of `tests/fuzz`, which are programs around libFuzzer.
//!
//! Without options each tries as many inputs as [`Target::inputs`] says, from the seeds alone and with libFuzzer's dice set: much the same ones every time,
//! so that a change is seldom held up by a fault that it did not make. Not the very same, because addresses and the maps of what is tried have dice of their
//! own, and libFuzzer goes by what they do. `--seconds` is for looking further: by other dice each time, and from what earlier such runs have learnt.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
};

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};

use crate::{
    agent::{cargo, run},
    paths,
    progress::step,
    sandbox::packages,
};

/// libFuzzer is C++.
const PACKAGES: &[&str] = &["g++"];

/// The longest input, in bytes. Everything that is asserted can be broken by less.
const LONGEST: usize = 4096;

/// An input that takes longer than this many seconds hangs. They take microseconds; a machine can be slow.
const HANGS_AFTER: u32 = 60;

/// The most memory of a fuzzer, in MiB, its own included. What an input may take is much less, see the targets.
const MEMORY: u32 = 1024;

/// What comes behind `cargo xtask test fuzz --`.
#[derive(Parser)]
#[command(name = "cargo xtask test fuzz --", max_term_width = 100)]
struct Options {
    /// Looks further, for so many seconds for each target, than every run without this does.
    #[arg(long)]
    seconds: Option<u32>,
    /// The target; all of them without.
    target: Option<Target>,
    /// Inputs that are tried in the place of fuzzing, to repeat what was found.
    inputs: Vec<PathBuf>,
}

/// What is fuzzed; `tests/fuzz/src` has a module for each.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Target {
    HelperFrames,
    HostsFile,
    ProjectFile,
    Wire,
}

/// Builds the fuzzers and runs them, as many at once as there are cores. `extra` is what [`Options`] says.
pub(crate) fn test(extra: &[String]) -> Result<()> {
    let name = "cargo xtask test fuzz --".to_owned();
    let options = Options::try_parse_from(std::iter::once(&name).chain(extra))?;
    if !packages::are_installed(PACKAGES)? {
        step("g++", || packages::ensure(PACKAGES))?;
    }
    step("fuzzers", build)?;
    if let Some(target) = options.target
        && !options.inputs.is_empty()
    {
        return run(target.command().args(&options.inputs), "try the inputs");
    }
    let targets = match &options.target {
        Some(target) => std::slice::from_ref(target),
        None => Target::value_variants(),
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut failures = Vec::new();
    for together in targets.chunks(cores) {
        let started: Vec<_> =
            together.iter().map(|target| target.start(options.seconds)).collect::<Result<_>>()?;
        for mut fuzzer in started {
            match fuzzer.finish() {
                Ok(executed) => eprintln!("  ✓ {:<28} {executed} inputs", fuzzer.target.name()),
                Err(error) => failures.push(format!("{error:#}")),
            }
        }
    }
    if !failures.is_empty() {
        bail!("{}", failures.join("\n"));
    }
    Ok(())
}

/// Where the fuzzers are built, what they learn is kept, and what they find.
fn directory() -> PathBuf {
    paths::target().join("fuzz")
}

fn sources() -> PathBuf {
    paths::root().join("tests/fuzz")
}

fn build() -> Result<()> {
    let mut cargo = cargo();
    cargo
        .args(["build", "--quiet", "--locked", "--profile", "fuzz", "--package", "towline-fuzz"])
        .args(["--bins", "--features", "fuzzers", "--target-dir"])
        .arg(directory())
        .env("RUSTC_WRAPPER", sources().join("instrument.sh"));
    run(&mut cargo, "build the fuzzers")
}

impl Target {
    fn name(self) -> String {
        self.to_possible_value().expect("no target is hidden").get_name().to_owned()
    }

    fn seeds(self) -> PathBuf {
        sources().join("seeds").join(self.name())
    }

    /// The fuzzer, with its limits.
    fn command(self) -> Command {
        let mut fuzzer = Command::new(directory().join("fuzz").join(self.name()));
        fuzzer.current_dir(paths::root()).args([
            format!("-timeout={HANGS_AFTER}"),
            format!("-rss_limit_mb={MEMORY}"),
            format!("-max_len={LONGEST}"),
        ]);
        fuzzer
    }

    /// How many inputs a run without options tries: about 20 s of one of our cores.
    fn inputs(self) -> usize {
        match self {
            Self::HelperFrames => 600_000,
            Self::HostsFile => 30_000,
            Self::ProjectFile | Self::Wire => 80_000,
        }
    }

    /// Starts fuzzing: see the module for how the two ways differ.
    fn start(self, seconds: Option<u32>) -> Result<Fuzzer> {
        let kept = if seconds.is_some() { "corpus" } else { "corpus-of-one-run" };
        let learnt = directory().join(kept).join(self.name());
        if seconds.is_none() && learnt.exists() {
            fs::remove_dir_all(&learnt).with_context(|| format!("empty {}", learnt.display()))?;
        }
        let found = directory().join("found").join(self.name());
        for directory in [&learnt, &found] {
            fs::create_dir_all(directory)?;
        }
        let log = directory().join(format!("{}.log", self.name()));
        let output = File::create(&log).with_context(|| format!("write {}", log.display()))?;
        let mut command = self.command();
        match seconds {
            Some(seconds) => command.arg(format!("-max_total_time={seconds}")),
            None => command.args(["-seed=1".to_owned(), format!("-runs={}", self.inputs())]),
        };
        command.arg("-print_final_stats=1").arg(format!("-artifact_prefix={}/", found.display()));
        let dictionary = sources().join("dictionaries").join(self.name());
        if dictionary.exists() {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        let process = command
            .args([&learnt, &self.seeds()])
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("start the fuzzer of {}", self.name()))?;
        Ok(Fuzzer { target: self, process, log })
    }
}

/// A fuzzer that runs.
struct Fuzzer {
    target: Target,
    process: Child,
    log: PathBuf,
}

impl Fuzzer {
    /// Waits for its end. Gives how many inputs it has tried.
    ///
    /// # Errors
    ///
    /// When it has found something, with what and how to repeat it; or has not even tried its seeds.
    fn finish(&mut self) -> Result<usize> {
        let status = self.process.wait()?;
        let name = self.target.name();
        let said = String::from_utf8_lossy(&fs::read(&self.log)?).into_owned();
        if !status.success() {
            bail!("{}", failure(&name, &said, &self.log));
        }
        let executed = said
            .lines()
            .find_map(|line| {
                line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok()
            })
            .unwrap_or(0);
        let seeds = fs::read_dir(self.target.seeds())?.count();
        if executed < seeds {
            bail!(
                "{name}: only {executed} inputs were tried, and there are {seeds} seeds; see {}",
                self.log.display()
            );
        }
        Ok(executed)
    }
}

/// What a fuzzer has found, out of what it said.
fn failure(name: &str, said: &str, log: &Path) -> String {
    let mut lines = said.lines().skip_while(|line| !line.contains(" panicked at "));
    let panic: Vec<&str> = lines
        .by_ref()
        .take_while(|line| !line.starts_with("==") && !line.starts_with("stack backtrace"))
        .take(12)
        .collect();
    let what = if panic.is_empty() {
        let error = said.lines().find(|line| line.contains("ERROR: libFuzzer"));
        error.unwrap_or("it ended without a reason").to_owned()
    } else {
        panic.join("\n    ")
    };
    let kept = said.lines().find_map(|line| Some(line.split_once("Test unit written to ")?.1));
    // For those who see no more of the machine than this.
    let bytes = said.lines().find_map(|line| line.strip_prefix("Base64: "));
    match kept {
        Some(input) => format!(
            "{name}: {what}\n  The input is {input}, in base64: {}\n  To try it again: cargo xtask test fuzz -- {name} {input}\n  \
             Once it is mended, put it into tests/fuzz/seeds/{name}, so that it stays so.",
            bytes.unwrap_or("too long")
        ),
        None => {
            format!("{name}: {what}\n  No input is kept; all that it said is in {}", log.display())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn options_are_understood() {
        let options = |words: &[&str]| {
            Options::try_parse_from(std::iter::once(&"fuzz").chain(words)).unwrap()
        };
        assert_eq!(options(&[]).seconds, None);
        let long = options(&["--seconds", "600", "hosts-file"]);
        assert!(long.seconds == Some(600) && matches!(long.target, Some(Target::HostsFile)));
        assert_eq!(options(&["wire", "crash-1", "crash-2"]).inputs.len(), 2);
    }

    #[test]
    fn every_target_has_seeds() {
        for target in Target::value_variants() {
            assert!(fs::read_dir(target.seeds()).unwrap().count() > 0, "{}", target.name());
        }
    }

    #[test]
    fn what_was_found_is_told_with_how_to_repeat_it() {
        let said = "#1 INITED\n\nthread '<unnamed>' (7) panicked at tests/fuzz/src/wire.rs:1:2:\nleft is not right\nnote: run with x\n==7== ERROR: libFuzzer: deadly signal\nartifact_prefix='/t/'; Test unit written to /t/crash-1\nBase64: eHk=\n";
        let told = failure("wire", said, Path::new("/t/wire.log"));
        assert!(told.contains("left is not right") && !told.contains("deadly"), "{told}");
        assert!(told.contains("cargo xtask test fuzz -- wire /t/crash-1"), "{told}");
        assert!(told.contains("eHk="), "{told}");
        let told =
            failure("wire", "==7== ERROR: libFuzzer: out-of-memory\n", Path::new("/t/wire.log"));
        assert!(told.contains("out-of-memory") && told.contains("/t/wire.log"), "{told}");
    }
}
