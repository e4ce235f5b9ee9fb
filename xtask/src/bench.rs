//! `cargo xtask bench`: Towline beside `kubectl port-forward` and beside no tunnel, in one run on one cluster.

use std::{fs, process::Command};

use anyhow::{Context, Result};
use clap::Args;
use towline_image::{Architecture, Compression, Image, ImageConfig, Layer, LayerFile};

use crate::{
    agent::{self, cargo, run},
    paths,
    progress::step,
    sandbox,
    stage::Stage,
};

/// The image that serves in the pods; the same program calls and conducts.
const IMAGE: &str = "sandbox.local/bench:1";

#[derive(Args)]
pub(crate) struct Arguments {
    /// How often each way is measured; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Leave the sandbox cluster up afterwards. One that was up before stays up anyway.
    #[arg(long)]
    keep: bool,
}

/// Measures, and prints the tables.
pub(crate) fn run_bench(arguments: &Arguments) -> Result<()> {
    let before = sandbox::is_up()?;
    let sandbox = sandbox::up()?;
    let result = measure(&sandbox, arguments);
    if !before && !arguments.keep {
        sandbox::down(&sandbox)?;
    }
    result
}

fn measure(sandbox: &sandbox::Sandbox, arguments: &Arguments) -> Result<()> {
    let stage = Stage::set(sandbox)?;
    let target = paths::target().join("agent");
    step("the benchmark's program and image", || {
        let mut build = cargo();
        build
            .args(["build", "--quiet", "--release", "--package", "towline-bench"])
            .args(["--target", "x86_64-unknown-linux-gnu", "--target-dir"])
            .arg(&target)
            .env("RUSTFLAGS", "-C target-feature=+crt-static");
        run(&mut build, "build the benchmark")
    })?;
    let program = target.join("x86_64-unknown-linux-gnu/release/towline-bench");
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
    bench.args(["run", "--image", IMAGE, "--rounds", &arguments.rounds.to_string()]);
    agent::run(stage.tell(&mut bench)?, "measure")
}
