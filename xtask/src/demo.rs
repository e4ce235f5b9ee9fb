//! `cargo xtask demo`: the sample application on a cluster, and what to try on it.

mod session;

use std::{
    fs,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{
    agent::{self, Profile},
    paths,
    progress::step,
    sandbox::{self, Sandbox, packages},
    shop,
};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Use the cluster of this context of your kubeconfig instead of the sandbox. Its nodes need the images, whose archives are then listed.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// Make one session without anybody watching, and check that it does what it should.
    #[arg(long)]
    headless: bool,
    /// With --headless: leave the sandbox cluster up afterwards.
    #[arg(long)]
    keep: bool,
}

/// Where the shop runs, and what reaches it.
struct Cluster {
    kubectl: PathBuf,
    kubeconfig: PathBuf,
    towline: PathBuf,
}

impl Cluster {
    /// `kubectl` in the shop's namespace.
    fn kubectl(&self) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.arg("--kubeconfig").arg(&self.kubeconfig).args(["--namespace", "shop"]);
        command
    }

    /// What `kubectl` prints.
    fn read(&self, arguments: &[&str]) -> Result<String> {
        let output = self.kubectl().args(arguments).output().context("run kubectl")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`kubectl {}` failed: {}", arguments.join(" "), said.trim());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// Deploys the shop, and either tells what to try or tries it.
///
/// # Errors
///
/// When something cannot be built or started, or the session does not do what it should.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let sandbox = Sandbox::from_environment()?;
    if let Some(context) = &arguments.context {
        return on_context(&sandbox, context, arguments.headless);
    }
    let before = sandbox::is_up()?;
    sandbox::up()?;
    let result = on_sandbox(&sandbox, arguments.headless);
    if before || arguments.keep || !arguments.headless {
        return result;
    }
    result.and(sandbox::down(&sandbox))
}

fn on_sandbox(sandbox: &Sandbox, headless: bool) -> Result<()> {
    let images = images()?;
    step("load the images", || sandbox::load_images(sandbox, &images))?;
    shop::deploy(&sandbox.kubeconfig())?;
    let kubeconfig = sandbox.kubeconfig();
    let cluster = cluster(sandbox, kubeconfig)?;
    if headless { session::run(&cluster) } else { tell(&cluster) }
}

fn on_context(sandbox: &Sandbox, context: &str, headless: bool) -> Result<()> {
    packages::unpack(sandbox, "kubernetes-client", "usr/bin/kubectl")?;
    println!("the cluster's nodes need these images, and take them from these archives:");
    for image in images()? {
        println!("    {}", image.display());
    }
    let cluster = cluster(sandbox, of_context(&sandbox.binaries().join("kubectl"), context)?)?;
    shop::deploy(&cluster.kubeconfig)?;
    if headless { session::run(&cluster) } else { tell(&cluster) }
}

fn images() -> Result<Vec<PathBuf>> {
    let agent = paths::target().join("agent-image.tar");
    step("agent", || agent::image(agent::host()?, &agent))?;
    let mut images = shop::images()?;
    images.push(agent);
    Ok(images)
}

fn cluster(sandbox: &Sandbox, kubeconfig: PathBuf) -> Result<Cluster> {
    let towline = step("towline", || agent::command_line(Profile::Release))?;
    Ok(Cluster { kubectl: sandbox.binaries().join("kubectl"), kubeconfig, towline })
}

/// A kubeconfig with this context alone, so that everything that follows goes to that cluster and no other.
fn of_context(kubectl: &Path, context: &str) -> Result<PathBuf> {
    let output = Command::new(kubectl)
        .args(["config", "view", "--minify", "--flatten", "--raw", "--context", context])
        .output()
        .context("run kubectl")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "cannot take the context `{context}` from your kubeconfig: {}; `kubectl config get-contexts` lists what there is",
            said.trim()
        );
    }
    let path = paths::target().join("demo-kubeconfig");
    let mut file =
        fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(&output.stdout)?;
    Ok(path)
}

fn tell(cluster: &Cluster) -> Result<()> {
    let (towline, kubeconfig) = (cluster.towline.display(), cluster.kubeconfig.display());
    let directory = cluster.towline.parent().context("a program is in a directory")?.display();
    let tools = cluster.kubectl.parent().context("a program is in a directory")?.display();
    let orders = paths::root().join("sandbox/shop/orders.py");
    println!(
        "
The shop is deployed, and Towline built: {towline}

    export KUBECONFIG={kubeconfig} PATH={directory}:{tools}:$PATH

    towline services -n shop
    towline plan orders -n shop
    towline connect orders -n shop -- python3 {}

and, while that runs, a customer's request inside the cluster (`orders.served_by.host` tells who answered):

    kubectl -n shop exec deploy/gateway -- {}
",
        orders.display(),
        session::QUESTION.map(quoted).join(" ")
    );
    println!("When you have seen enough: cargo xtask sandbox down");
    Ok(())
}

fn quoted(word: &str) -> String {
    if word.contains([' ', ';', '(', '\'']) { format!("\"{word}\"") } else { word.to_owned() }
}
