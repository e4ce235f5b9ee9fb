//! `cargo xtask bundle`: what users install.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{
    agent::{Profile, cargo, run},
    paths,
    programs::Products,
    progress::step,
    sandbox::packages,
    tool,
};

/// The version whose reading of `[package.metadata.deb]` the one in `Cargo.toml` is written for.
const CARGO_DEB: &str = "cargo-deb@3.8.0";

/// Builds the packages and prints their paths.
pub(crate) fn run_bundle() -> Result<()> {
    let command_line = Products::build()?.command_line;
    println!("{}", package(Profile::Release, &command_line)?.display());
    // AppImage's tools are in no registry and not in Debian; they would have to be fetched from a release page, unverified.
    eprintln!("  no AppImage: its tools (linuxdeploy, appimagetool) are not packaged in Debian");
    Ok(())
}

/// Makes the Debian package of what was built: the application, the command line, the desktop's entry, icons, man page, completions. cargo-deb takes the
/// programs from where cargo puts them.
pub(crate) fn package(profile: Profile, command_line: &Path) -> Result<PathBuf> {
    let directory = paths::target().join("bundle");
    fs::create_dir_all(&directory).with_context(|| format!("create {}", directory.display()))?;
    printed(command_line, &["man"], &directory.join("towline.1"))?;
    printed(command_line, &["completions", "bash"], &directory.join("towline.bash"))?;
    // It tells which libraries of Debian the programs need.
    packages::ensure(&["dpkg-dev"])?;
    let program = tool::cargo_install(CARGO_DEB, "cargo-deb")?;
    let package = directory.join("towline.deb");
    step("towline.deb", || {
        let mut deb = Command::new(&program);
        deb.current_dir(paths::root())
            .env("CARGO", cargo().get_program())
            .args(["--quiet", "--locked", "--no-build", "--package", "towline-desktop"])
            .args(match profile {
                // Four times as large, unless it is squeezed for minutes.
                Profile::Debug => ["--profile=dev", "--fast"].as_slice(),
                Profile::Release => &["--profile=release"],
            })
            .arg("--output")
            .arg(&package);
        run(&mut deb, "make the Debian package")
    })?;
    Ok(package)
}

/// Keeps what the command line prints.
fn printed(command_line: &Path, arguments: &[&str], file: &Path) -> Result<()> {
    let output = Command::new(command_line).args(arguments).output().context("run towline")?;
    ensure!(output.status.success(), "`towline {}` failed", arguments.join(" "));
    fs::write(file, output.stdout).with_context(|| format!("write {}", file.display()))
}
