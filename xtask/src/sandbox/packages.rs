//! Debian packages, installed only when they are missing.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use super::{Sandbox, build::only_file};

/// What a running cluster needs.
pub(crate) const RUN: &[&str] = &[
    "busybox-static",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "ebtables",
    "etcd-server",
    "gcc",
    "iproute2",
    "iptables",
    "libc6-dev",
    "openssl",
    "procps",
    "runc",
    "socat",
];

/// What building Kubernetes needs.
pub(crate) const BUILD: &[&str] = &["dpkg-dev", "golang-1.19-go"];

/// Installs those of `packages` that are missing.
///
/// # Errors
///
/// When apt-get fails, with what it said, or this is not a Debian.
pub(crate) fn ensure(packages: &[&str]) -> Result<()> {
    let missing = missing(packages)?;
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("    installing {}", missing.join(" "));
    apt_get(&["update", "-qq"])?;
    let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
    install.extend(missing);
    apt_get(&install)
}

/// Whether all of `packages` are installed.
pub(crate) fn are_installed(packages: &[&str]) -> Result<bool> {
    Ok(missing(packages)?.is_empty())
}

/// Puts one program out of a Debian package among the sandbox's binaries, without installing the package: the machine may have another version, which
/// stays, and no service is started.
pub(crate) fn unpack(sandbox: &Sandbox, package: &str, program: &str) -> Result<()> {
    let name = Path::new(program).file_name().context("a program has a name")?;
    let target = sandbox.binaries().join(name);
    if target.exists() {
        return Ok(());
    }
    fs::create_dir_all(sandbox.binaries())?;
    let unpacked = sandbox.cache().join(format!("unpacked-{package}"));
    fs::create_dir_all(&unpacked)?;
    let sh = Shell::new()?;
    sh.change_dir(&unpacked);
    let download = || cmd!(sh, "apt-get -qq download {package}").quiet().ignore_stderr().run();
    if download().is_err() {
        apt_get(&["update", "-qq"])?;
        download().with_context(|| format!("download Debian's package {package}"))?;
    }
    let archive = only_file(&unpacked, ".deb")?;
    cmd!(sh, "dpkg-deb --extract {archive} .").quiet().run()?;
    fs::rename(unpacked.join(program), &target)
        .with_context(|| format!("take {program} out of Debian's package {package}"))?;
    fs::remove_dir_all(&unpacked)?;
    Ok(())
}

/// Runs `apt-get`, waiting for whoever else installs something now.
pub(super) fn apt_get(arguments: &[&str]) -> Result<()> {
    let output = Command::new("apt-get")
        .args(["-o", "DPkg::Lock::Timeout=600"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .output()
        .context("run apt-get; the sandbox cluster is made for Debian")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`apt-get {}` failed: {}", arguments.join(" "), said.trim());
    }
    Ok(())
}

fn missing<'a>(packages: &[&'a str]) -> Result<Vec<&'a str>> {
    let output = Command::new("dpkg-query")
        .args(["-W", "-f", "${Package} ${db:Status-Status}\n"])
        .args(packages)
        .output()
        .context("run dpkg-query; the sandbox cluster is made for Debian")?;
    let listed = String::from_utf8_lossy(&output.stdout);
    let installed = |name: &str| listed.lines().any(|line| line == format!("{name} installed"));
    Ok(packages.iter().copied().filter(|name| !installed(name)).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tells_missing_packages_from_installed_ones() {
        assert_eq!(
            missing(&["dpkg", "towline-no-such-package"]).unwrap(),
            ["towline-no-such-package"]
        );
    }
}
