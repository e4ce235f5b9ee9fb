//! The agent as a static binary and as an image, and the command line that carries it.

mod elf;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use towline_image::{Architecture, DEFAULT_REFERENCE, agent_image};

use crate::{paths, progress::step};

/// The most that the image may have, in bytes.
const IMAGE_LIMIT: u64 = 8 << 20;

#[derive(Args)]
pub(crate) struct ImageArguments {
    /// Where the archive is written.
    #[arg(long)]
    output: PathBuf,
    /// The architecture of the cluster's nodes: amd64 or arm64.
    #[arg(long, default_value = std::env::consts::ARCH)]
    arch: Architecture,
}

#[derive(Args)]
pub(crate) struct BuildArguments {
    /// Build the command line quickly and without optimisation. The agent is what it always is.
    #[arg(long)]
    debug: bool,
}

/// The command line's, which carries the agent.
pub(crate) const PACKAGE: &str = "towline";

/// How the command line is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Debug,
    Release,
}

impl Profile {
    /// Where cargo puts what it builds, below the target directory.
    pub(crate) fn directory(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

/// `cargo xtask agent-image`: writes the archive and prints the image's reference.
pub(crate) fn run_image(arguments: &ImageArguments) -> Result<()> {
    image(arguments.arch, &arguments.output)?;
    println!("{DEFAULT_REFERENCE}");
    Ok(())
}

/// `cargo xtask build`: builds the agent, the command line around it and the helper, and prints their paths.
pub(crate) fn run_build(arguments: &BuildArguments) -> Result<()> {
    let profile = if arguments.debug { Profile::Debug } else { Profile::Release };
    let command_line = step("towline, with the agent inside", || command_line(profile))?;
    println!("{}", build(host()?)?.display());
    println!("{}", command_line.display());
    println!("{}", command_line.with_file_name("towline-helper").display());
    Ok(())
}

/// Packs the agent as an archive that containerd, Docker and kind load.
pub(crate) fn image(architecture: Architecture, output: &Path) -> Result<()> {
    let binary = build(architecture)?;
    let program = fs::read(&binary).with_context(|| format!("read {}", binary.display()))?;
    agent_image(&program, architecture, DEFAULT_REFERENCE)?.save(output)?;
    let size = fs::metadata(output)?.len();
    if size > IMAGE_LIMIT {
        bail!(
            "the agent's image {} has {size} bytes, more than the {IMAGE_LIMIT} that it may have; see what made it grow by `cargo tree -p towline-agent`",
            output.display()
        );
    }
    eprintln!("  {} for {architecture}: {:.1} MB", output.display(), size as f64 / 1e6);
    Ok(())
}

/// Builds the agent as one static binary, and tells where it is.
///
/// # Errors
///
/// When the toolchain lacks the target, the build fails, or the binary needs an interpreter and with it a libc in the image.
pub(crate) fn build(architecture: Architecture) -> Result<PathBuf> {
    let target = Target::of(architecture);
    target.check()?;
    let directory = paths::target().join("agent");
    let mut cargo = cargo();
    cargo
        .args(["build", "--quiet", "--package", "towline-agent", "--profile", "agent"])
        .args(["--target", target.triple, "--target-dir"])
        .arg(&directory)
        .env("RUSTFLAGS", "-C target-feature=+crt-static");
    if target.is_foreign() {
        let name = target.triple.to_uppercase().replace('-', "_");
        cargo.env(format!("CARGO_TARGET_{name}_LINKER"), target.compiler);
        cargo.env(format!("CC_{}", target.triple.replace('-', "_")), target.compiler);
    }
    run(&mut cargo, "build the agent")?;
    let binary = directory.join(target.triple).join("agent/towline-agent");
    elf::check_static(&binary)?;
    Ok(binary)
}

/// Builds `towline` with the agents inside that this toolchain can build, and the helper beside it, and tells where it is.
pub(crate) fn command_line(profile: Profile) -> Result<PathBuf> {
    let mut cargo = cargo();
    cargo.args(["build", "--quiet", "--package", PACKAGE, "--package", "towline-helper"]);
    cargo.args((profile == Profile::Release).then_some("--release"));
    carry(&mut cargo)?;
    run(&mut cargo, "build the command line")?;
    Ok(paths::target().join(profile.directory()).join("towline"))
}

/// Builds the agents that this toolchain can build, and tells `cargo` to put them into the command line.
pub(crate) fn carry(cargo: &mut Command) -> Result<()> {
    for (architecture, variable) in
        [(Architecture::Amd64, "TOWLINE_AGENT_AMD64"), (Architecture::Arm64, "TOWLINE_AGENT_ARM64")]
    {
        let target = Target::of(architecture);
        // The host's own must be there; a foreign one is taken where it can be had.
        if target.is_foreign() && target.check().is_err() {
            cargo.env_remove(variable);
            continue;
        }
        cargo.env(variable, build(architecture)?);
    }
    Ok(())
}

/// Cargo, as this toolchain has it, in the repository's root.
///
/// Without what `cargo xtask` has told this program of its own package: build scripts (ring's, for one) ask for these variables, so what cargo has built
/// here and what it has built without us would each be out of date for the other.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(paths::root());
    let own = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(own) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Runs `command` with its output shown.
pub(crate) fn run(command: &mut Command, what: &str) -> Result<()> {
    let status = command.status().with_context(|| format!("{what}: start {command:?}"))?;
    if !status.success() {
        bail!("{what}: `{}` ended with {status}", command.get_program().to_string_lossy());
    }
    Ok(())
}

/// This machine's architecture, as images call it.
pub(crate) fn host() -> Result<Architecture> {
    Ok(std::env::consts::ARCH.parse()?)
}

/// What the agent for one architecture is built for, and by which C compiler: the cryptography has some C and assembly.
struct Target {
    architecture: Architecture,
    triple: &'static str,
    compiler: &'static str,
    package: &'static str,
}

impl Target {
    fn of(architecture: Architecture) -> Self {
        let (triple, compiler, package) = match architecture {
            Architecture::Amd64 => {
                ("x86_64-unknown-linux-gnu", "x86_64-linux-gnu-gcc", "gcc-x86-64-linux-gnu")
            }
            Architecture::Arm64 => {
                ("aarch64-unknown-linux-gnu", "aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu")
            }
        };
        Self { architecture, triple, compiler, package }
    }

    fn is_foreign(&self) -> bool {
        host().ok() != Some(self.architecture)
    }

    /// Whether this machine can build for the target.
    fn check(&self) -> Result<()> {
        let output = Command::new("rustc")
            .args(["--print", "target-libdir", "--target", self.triple])
            .current_dir(paths::root())
            .output()
            .context("run rustc")?;
        let directory = String::from_utf8_lossy(&output.stdout);
        if !Path::new(directory.trim()).is_dir() {
            bail!(
                "this toolchain cannot build the agent for {self}: it lacks the target {}; add it by `rustup target add {}`",
                self.triple,
                self.triple
            );
        }
        if self.is_foreign() && Command::new(self.compiler).arg("--version").output().is_err() {
            bail!(
                "this machine cannot build the agent for {self}: there is no {}; install Debian's package {} and its libc",
                self.compiler,
                self.package
            );
        }
        Ok(())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.architecture.fmt(f)
    }
}
