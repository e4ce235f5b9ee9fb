//! `tests/bench`: the program that measures from the terminal, which is also the server in the pods.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};
use towline_image::{Architecture, Compression, Image, ImageConfig, Layer, LayerFile};

use crate::{
    agent::{cargo, run},
    paths,
    progress::step,
    sandbox::{self, Sandbox},
    stage::Stage,
};

/// The image that serves in the pods; the same program calls and conducts.
const IMAGE: &str = "sandbox.local/bench:1";

/// Traffic: the program serves in pods too, so its image is loaded.
pub(super) fn traffic(sandbox: &Sandbox, stage: &Stage<'_>, rounds: usize) -> Result<()> {
    let program = build()?;
    let bytes = fs::read(&program).with_context(|| format!("read {}", program.display()))?;
    let file = LayerFile { path: "towline-bench", mode: 0o755, bytes: &bytes };
    let config = ImageConfig {
        reference: IMAGE.to_owned(),
        architecture: Architecture::Amd64,
        entrypoint: vec!["/towline-bench".to_owned()],
        ..ImageConfig::default()
    };
    let archive = paths::target().join("bench-image.tar");
    Image::new(&config, vec![Layer::from_files(&[file], Compression::Gzip)?])?.save(&archive)?;
    sandbox::load_images(sandbox, &[archive])?;
    let mut bench = Command::new(program);
    bench.args(["run", "--image", IMAGE, "--rounds", &rounds.to_string()]);
    run(stage.tell(&mut bench)?, "measure the traffic")
}

/// This machine's side.
pub(super) fn machine(stage: &Stage<'_>) -> Result<()> {
    let mut bench = Command::new(build()?);
    run(stage.tell(bench.arg("machine"))?, "measure this machine's side")
}

/// Static, because it runs in an image that has nothing else.
fn build() -> Result<PathBuf> {
    let target = paths::target().join("agent");
    step("the benchmark's program", || {
        let mut build = cargo();
        build
            .args(["build", "--quiet", "--release", "--package", "towline-bench"])
            .args(["--target", "x86_64-unknown-linux-gnu", "--target-dir"])
            .arg(&target)
            .env("RUSTFLAGS", "-C target-feature=+crt-static");
        run(&mut build, "build the benchmark")
    })?;
    Ok(target.join("x86_64-unknown-linux-gnu/release/towline-bench"))
}
