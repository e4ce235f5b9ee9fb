//! Whether the code for macOS and Windows compiles, seen from Linux.
//!
//! Rust's own targets for them come from a server that a build machine may not reach. Debian has the compiler for every target (`rustc-web`, which it builds
//! browsers with) and the source of the standard library, from which cargo builds that library for any target (`-Zbuild-std`). So the types are checked; a
//! linker and the systems themselves are not there.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::{
    agent::{cargo, run},
    paths,
    progress::step,
};

/// What is checked where nothing else is named.
const CRATES: [&str; 3] = ["towline-beneath", "towline-helper", "towline-machine"];

/// The compiler, its library's source, and of what they depend on that which belongs to them.
const PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];
const WITH: [&str; 2] = ["libstd-rust-web", "libllvm"];

#[derive(Args)]
pub(crate) struct Arguments {
    /// One system only.
    #[arg(long)]
    system: Option<System>,
    /// The crates.
    crates: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum System {
    Macos,
    Windows,
}

impl System {
    fn target(self) -> &'static str {
        match self {
            Self::Macos => "aarch64-apple-darwin",
            Self::Windows => "x86_64-pc-windows-gnu",
        }
    }
}

pub(crate) fn execute(arguments: &Arguments) -> Result<()> {
    let compiler = Compiler::ensure()?;
    let systems = match arguments.system {
        Some(system) => vec![system],
        None => vec![System::Macos, System::Windows],
    };
    let crates: Vec<&str> = match arguments.crates.as_slice() {
        [] => CRATES.to_vec(),
        named => named.iter().map(String::as_str).collect(),
    };
    for system in systems {
        step(&format!("check {} for {}", crates.join(", "), system.target()), || {
            let mut command = compiler.cargo();
            command.args(["check", "--quiet", "-Zbuild-std", "--target", system.target()]);
            command.args(crates.iter().flat_map(|name| ["-p", *name]));
            run(&mut command, &format!("check for {}", system.target()))
        })?;
    }
    Ok(())
}

/// Debian's compiler, unpacked in the cache. It is not installed: it would be in the way of rustup's.
struct Compiler {
    directory: PathBuf,
}

impl Compiler {
    fn ensure() -> Result<Self> {
        let compiler = Self { directory: paths::cache()?.join("platforms") };
        if !compiler.root().exists() {
            step("get Debian's compiler for other systems", || compiler.unpack())?;
        }
        Ok(compiler)
    }

    fn root(&self) -> PathBuf {
        self.directory.join("root")
    }

    fn unpack(&self) -> Result<()> {
        let (packages, part) = (self.directory.join("packages"), self.directory.join("part"));
        for directory in [&packages, &part] {
            if directory.exists() {
                fs::remove_dir_all(directory)?;
            }
            fs::create_dir_all(directory)?;
        }
        let mut wanted: Vec<String> = PACKAGES.map(str::to_owned).to_vec();
        let mut had = BTreeSet::new();
        while let Some(package) = wanted.pop() {
            if !had.insert(package.clone()) {
                continue;
            }
            let archive = download(&package, &packages)?;
            let mut dpkg = Command::new("dpkg-deb");
            run(dpkg.arg("--extract").arg(&archive).arg(&part), &format!("unpack {package}"))?;
            wanted.extend(depends(&archive)?);
        }
        fs::remove_dir_all(&packages)?;
        // Complete under its name, or not there.
        fs::rename(&part, self.root())?;
        Ok(())
    }

    /// Cargo with this compiler.
    fn cargo(&self) -> Command {
        let root = self.root();
        let mut command = cargo();
        command
            .current_dir(paths::root())
            .env("RUSTC", root.join("usr/bin/rustc"))
            // Lets a stable compiler build the standard library.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("LD_LIBRARY_PATH", root.join("usr/lib/x86_64-linux-gnu"))
            .env("CARGO_TARGET_DIR", self.directory.join("target"));
        command
    }
}

fn download(package: &str, into: &Path) -> Result<PathBuf> {
    let before = archives(into)?;
    let mut command = Command::new("apt-get");
    command.current_dir(into).args(["-qq", "download", package]);
    run(&mut command, &format!("download Debian's package {package} (after `apt-get update`?)"))?;
    let new = archives(into)?.difference(&before).next().cloned();
    Ok(into.join(new.with_context(|| format!("apt-get has not brought {package}"))?))
}

fn archives(directory: &Path) -> Result<BTreeSet<OsString>> {
    Ok(fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<std::io::Result<_>>()?)
}

fn depends(archive: &Path) -> Result<Vec<String>> {
    let output = Command::new("dpkg-deb")
        .arg("--field")
        .arg(archive)
        .arg("Depends")
        .output()
        .context("run dpkg-deb")?;
    let field = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = field.split(',').filter_map(|one| one.split_whitespace().next());
    Ok(names
        .filter(|name| WITH.iter().any(|with| name.starts_with(with)))
        .map(str::to_owned)
        .collect())
}
