//! The images that every cluster has, and loading others.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use towline_image::{Compression, ImageConfig, Layer, LayerFile, write_archive};

use super::Sandbox;

/// What holds a pod's namespaces: sleeps, and takes the exit codes of orphans. Our node's first process does the same, so it is this program too.
const PAUSE: &str = r"#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void stop(int signal) { (void)signal; exit(0); }
static void reap(int signal) { (void)signal; while (waitpid(-1, NULL, WNOHANG) > 0) {} }
int main(void) { signal(SIGTERM, stop); signal(SIGINT, stop); signal(SIGCHLD, reap); for (;;) pause(); }
";

/// Builds the program of the pause image, if it is missing, and tells where it is.
pub(super) fn pause_program(sandbox: &Sandbox) -> Result<PathBuf> {
    let program = sandbox.binary("pause");
    if program.exists() {
        return Ok(program);
    }
    let source = program.with_extension("c");
    fs::write(&source, PAUSE)?;
    super::network::run(
        "gcc",
        &["-static", "-Os", "-s", "-o", &program.to_string_lossy(), &source.to_string_lossy()],
    )?;
    Ok(program)
}

/// Loads the images that every cluster has, made first where they are missing: `sandbox.local/pause:1` and `sandbox.local/busybox:1`.
pub(super) fn load_own(sandbox: &Sandbox) -> Result<()> {
    let directory = sandbox.cache().join("images");
    fs::create_dir_all(&directory)?;
    let (pause, busybox) = (directory.join("pause.tar"), directory.join("busybox.tar"));
    if !pause.exists() {
        let program = fs::read(pause_program(sandbox)?)?;
        let file = LayerFile { path: "pause", mode: 0o755, bytes: &program };
        let layer = Layer::from_files(&[file], Compression::None)?;
        write_archive(&image("sandbox.local/pause:1", "/pause"), &[layer], &pause)?;
    }
    if !busybox.exists() {
        let layer = busybox_layer(&sandbox.run().join("busybox"))?;
        let image = ImageConfig {
            env: vec!["PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin".to_owned()],
            ..image("sandbox.local/busybox:1", "/bin/sh")
        };
        write_archive(&image, &[layer], &busybox)?;
    }
    load(sandbox, &[pause, busybox])
}

fn image(reference: &str, program: &str) -> ImageConfig {
    ImageConfig {
        reference: reference.to_owned(),
        entrypoint: vec![program.to_owned()],
        ..ImageConfig::default()
    }
}

fn busybox_layer(root: &Path) -> Result<Layer> {
    for directory in ["bin", "etc", "tmp", "root"] {
        fs::create_dir_all(root.join(directory))?;
    }
    fs::copy("/bin/busybox", root.join("bin/busybox"))
        .context("copy busybox of Debian's package busybox-static")?;
    let applets = Command::new("/bin/busybox").arg("--list").output()?;
    for applet in String::from_utf8(applets.stdout)?.lines().filter(|applet| *applet != "busybox") {
        symlink("busybox", root.join("bin").join(applet))?;
    }
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;
    Ok(Layer::from_directory(root, Compression::None)?)
}

/// Loads image archives into containerd, where the kubelet finds them.
///
/// # Errors
///
/// When the cluster is not up, or an archive is missing or broken.
pub(super) fn load(sandbox: &Sandbox, files: &[PathBuf]) -> Result<()> {
    if sandbox.node()?.is_none() {
        bail!(
            "cannot load images: the sandbox cluster is not up; start it by `cargo xtask sandbox up`"
        );
    }
    for file in files {
        let output = Command::new("ctr")
            .arg("-a")
            .arg(sandbox.containerd_socket())
            .args(["-n", "k8s.io", "images", "import"])
            .arg(file)
            .output()
            .context("run ctr")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("cannot load {} into the sandbox cluster: {}", file.display(), said.trim());
        }
        eprint!("{}", String::from_utf8_lossy(&output.stdout));
    }
    Ok(())
}
