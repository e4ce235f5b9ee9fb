//! The same commands on `kind`, where a container engine and `kind` are present.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::paths;

const NAME: &str = "towline-sandbox";

/// Creates the cluster if it does not exist, and tells where its kubeconfig is.
pub(super) fn up() -> Result<PathBuf> {
    let (sh, kubeconfig) = (shell()?, kubeconfig()?);
    if !exists(&sh)? {
        cmd!(sh, "kind create cluster --name {NAME} --kubeconfig {kubeconfig} --wait 120s")
            .run()?;
    }
    cmd!(sh, "kind export kubeconfig --quiet --name {NAME} --kubeconfig {kubeconfig}")
        .quiet()
        .run()?;
    Ok(kubeconfig)
}

/// Deletes the cluster.
pub(super) fn down() -> Result<()> {
    let (sh, kubeconfig) = (shell()?, kubeconfig()?);
    cmd!(sh, "kind delete cluster --name {NAME} --kubeconfig {kubeconfig}").run()?;
    Ok(())
}

/// Fails when the cluster does not exist.
pub(super) fn status() -> Result<()> {
    if !exists(&shell()?)? {
        bail!("kind has no cluster {NAME}; create it by `cargo xtask sandbox --kind up`");
    }
    println!("kubeconfig   {}", kubeconfig()?.display());
    Ok(())
}

/// Loads image archives into the cluster's nodes.
pub(super) fn load(files: &[PathBuf]) -> Result<()> {
    let sh = shell()?;
    for file in files {
        cmd!(sh, "kind load image-archive {file} --name {NAME}").run()?;
    }
    Ok(())
}

/// Where the cluster's kubeconfig is, or will be.
pub(super) fn kubeconfig() -> Result<PathBuf> {
    Ok(paths::cache()?.join("kind-kubeconfig"))
}

fn exists(sh: &Shell) -> Result<bool> {
    let clusters = cmd!(sh, "kind get clusters --quiet").quiet().ignore_stderr().read()?;
    Ok(clusters.lines().any(|cluster| cluster == NAME))
}

fn shell() -> Result<Shell> {
    let sh = Shell::new()?;
    cmd!(sh, "kind version").quiet().ignore_stdout().run().context(
        "run kind, which --kind needs together with Docker, Podman or nerdctl; install them, or leave --kind away to use the cluster built here",
    )?;
    std::fs::create_dir_all(paths::cache()?)?;
    Ok(sh)
}
