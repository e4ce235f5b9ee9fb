//! `cargo xtask demo`: the sample application on a cluster, the window on it, and what to try.

mod session;

use std::{
    env,
    ffi::OsString,
    fs,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{
    agent,
    desktop::{self, Driver},
    paths,
    programs::Products,
    progress::step,
    sandbox::{self, Sandbox, packages},
    shop,
    stage::path,
};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Use the cluster of this context of your kubeconfig instead of the sandbox. Its nodes need the images, whose archives are then listed.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// Make one session through a window on a display that nobody sees, check that it does what it should, and keep a picture.
    #[arg(long)]
    headless: bool,
    /// With --headless: leave the sandbox cluster up afterwards.
    #[arg(long)]
    keep: bool,
}

/// Where the shop runs, and what reaches it.
struct Cluster {
    kubectl: PathBuf,
    /// One context, whose namespace is the shop's.
    kubeconfig: PathBuf,
    context: String,
    towline: PathBuf,
    /// `PATH` with the sandbox's binaries.
    path: OsString,
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
    let products = Products::build()?;
    let cluster = cluster(sandbox, &sandbox.kubeconfig(), None, products.command_line)?;
    show(&cluster, products.application, headless)
}

fn on_context(sandbox: &Sandbox, context: &str, headless: bool) -> Result<()> {
    packages::unpack(sandbox, "kubernetes-client", "usr/bin/kubectl")?;
    println!("the cluster's nodes need these images, and take them from these archives:");
    for image in images()? {
        println!("    {}", image.display());
    }
    let kubeconfig = env::var_os("KUBECONFIG").map(PathBuf::from);
    let home = || env::home_dir().map(|home| home.join(".kube/config"));
    let kubeconfig = kubeconfig.or_else(home).context("there is no kubeconfig")?;
    let products = Products::build()?;
    let cluster = cluster(sandbox, &kubeconfig, Some(context), products.command_line)?;
    show(&cluster, products.application, headless)
}

/// Deploys the shop and opens the window on it, or makes a session through a window that nobody sees.
fn show(cluster: &Cluster, application: PathBuf, headless: bool) -> Result<()> {
    shop::deploy(&cluster.kubeconfig)?;
    if headless {
        return session::run(cluster, &Driver::of(application)?);
    }
    tell(cluster)?;
    if !desktop::has_display() {
        println!(
            "
This machine has no display, so the window is not opened. On one that has: {}
or, without anybody watching: cargo xtask demo --headless",
            application.display()
        );
        return Ok(());
    }
    desktop::open(&application, &cluster.kubeconfig, &cluster.path)
}

fn images() -> Result<Vec<PathBuf>> {
    let agent = paths::target().join("agent-image.tar");
    step("agent", || agent::image(agent::host()?, &agent))?;
    let mut images = shop::images()?;
    images.push(agent);
    Ok(images)
}

fn cluster(
    sandbox: &Sandbox,
    kubeconfig: &Path,
    context: Option<&str>,
    towline: PathBuf,
) -> Result<Cluster> {
    let kubectl = sandbox.binaries().join("kubectl");
    let (kubeconfig, context) = in_the_shop(&kubectl, kubeconfig, context)?;
    Ok(Cluster { kubectl, kubeconfig, context, towline, path: path(sandbox)? })
}

/// A kubeconfig with one context alone, in the shop's namespace, so that everything that follows goes to that cluster and no other; and its name.
fn in_the_shop(
    kubectl: &Path,
    kubeconfig: &Path,
    context: Option<&str>,
) -> Result<(PathBuf, String)> {
    let config = |arguments: &[&str], kubeconfig: &Path| {
        let output = Command::new(kubectl)
            .env("KUBECONFIG", kubeconfig)
            .arg("config")
            .args(arguments)
            .output()
            .context("run kubectl")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!(
                "cannot take the context out of {}: {}; `kubectl config get-contexts` lists what there is",
                kubeconfig.display(),
                said.trim()
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    };
    let mut view = vec!["view", "--minify", "--flatten", "--raw"];
    view.extend(context.iter().flat_map(|context| ["--context", context]));
    let text = config(&view, kubeconfig)?;
    let path = paths::target().join("demo-kubeconfig");
    let mut file =
        fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    config(&["set-context", "--current", "--namespace", "shop"], &path)?;
    let context = config(&["current-context"], &path)?.trim().to_owned();
    Ok((path, context))
}

fn tell(cluster: &Cluster) -> Result<()> {
    let (towline, kubeconfig) = (cluster.towline.display(), cluster.kubeconfig.display());
    let directory = cluster.towline.parent().context("a program is in a directory")?.display();
    let tools = cluster.kubectl.parent().context("a program is in a directory")?.display();
    let orders = paths::root().join("sandbox/shop/orders.py");
    let orders = orders.display();
    println!(
        "
The shop is deployed, and Towline built. In the window: connect the cluster, find `orders`, press Redirect, and let it start

    env PORT=18080 python3 {orders}

for the local port 18080. The same from the terminal ({towline}):

    export KUBECONFIG={kubeconfig} PATH={directory}:{tools}:$PATH

    towline services -n shop
    towline plan orders -n shop
    towline connect orders -n shop -- python3 {orders}

and, while that runs, a customer's request inside the cluster (`orders.served_by.host` tells who answered):

    kubectl -n shop exec deploy/gateway -- {}
",
        session::QUESTION.map(quoted).join(" ")
    );
    println!("When you have seen enough: cargo xtask sandbox down");
    Ok(())
}

fn quoted(word: &str) -> String {
    if word.contains([' ', ';', '(', '\'']) { format!("\"{word}\"") } else { word.to_owned() }
}
