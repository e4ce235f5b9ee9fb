//! Puts the agents that `cargo xtask build` has made into the program: `TOWLINE_AGENT_AMD64` and `TOWLINE_AGENT_ARM64` name their files. Without
//! these the program is complete but for `towline agent`.

use std::path::{Path, PathBuf};
use std::{env, fs};

const AGENTS: [(&str, &str); 2] =
    [("TOWLINE_AGENT_AMD64", "Amd64"), ("TOWLINE_AGENT_ARM64", "Arm64")];

fn main() {
    let mut entries = String::new();
    for (variable, architecture) in AGENTS {
        println!("cargo::rerun-if-env-changed={variable}");
        let Some(file) = env::var_os(variable).filter(|file| !file.is_empty()) else { continue };
        let file = fs::canonicalize(PathBuf::from(&file)).unwrap_or_else(|error| {
            panic!("{variable} names {}, which cannot be read: {error}", Path::new(&file).display())
        });
        println!("cargo::rerun-if-changed={}", file.display());
        entries += &format!("    (Architecture::{architecture}, include_bytes!({file:?})),\n");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts"));
    let source = format!("&[\n{entries}]\n");
    fs::write(out.join("agents.rs"), source).expect("cargo's own output directory can be written");
}
