//! The sample application (`sandbox/shop`): its images, made of Debian's packages without Docker and without a registry, and its deployment.

mod debian;
mod rollout;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use towline_image::{Compression, Digest, ImageConfig, Layer, LayerFile, write_archive};

use crate::{paths, progress::step, sandbox::Sandbox};
use debian::Tree;

pub(crate) use rollout::deploy;

/// An image of the application.
#[derive(Debug)]
struct Recipe {
    name: &'static str,
    reference: &'static str,
    /// What of Debian is in it.
    tree: Tree,
    /// Files of `sandbox/shop` that it carries in `/srv/shop`.
    programs: &'static [&'static str],
    entrypoint: &'static [&'static str],
    env: &'static [&'static str],
}

/// One image for all programs of ours: Python and nothing around it.
const SHOP: Recipe = Recipe {
    name: "shop",
    reference: "sandbox.local/shop:1",
    tree: Tree {
        packages: &[
            "libc6",
            "libexpat1",
            "libffi8",
            "libpython3.11-minimal",
            "libpython3.11-stdlib",
            "libssl3",
            "python3.11-minimal",
            "zlib1g",
        ],
        unwanted: &["usr/lib/python3.11/lib2to3", "usr/lib/python3.11/pydoc_data"],
        links: &[("usr/bin/python3", "python3.11")],
        // Byte code that is right whatever the time of its source says: a layer has no times, and the container's disk is read-only.
        commands: &[
            &[
                "/usr/bin/python3",
                "-c",
                "import hashlib, hmac, http.client, http.server, json, signal, socketserver, ssl",
            ],
            &[
                "/usr/bin/python3",
                "-m",
                "compileall",
                "-q",
                "--invalidation-mode",
                "unchecked-hash",
                "/usr/lib/python3.11",
            ],
        ],
    },
    programs: &["catalogue.py", "gateway.py", "greeter.py", "orders.py"],
    entrypoint: &["/usr/bin/python3"],
    env: &[
        "PATH=/usr/bin",
        "LANG=C.UTF-8",
        "PYTHONUNBUFFERED=1",
        "PYTHONDONTWRITEBYTECODE=1",
        "SHOP_EDITION=sandbox",
    ],
};

const REDIS: Recipe = Recipe {
    name: "redis",
    reference: "sandbox.local/redis:1",
    tree: Tree {
        packages: &[
            "libatomic1",
            "libc6",
            "libcap2",
            "libgcc-s1",
            "libgcrypt20",
            "libgpg-error0",
            "libjemalloc2",
            "liblua5.1-0",
            "liblz4-1",
            "liblzf1",
            "liblzma5",
            "libssl3",
            "libstdc++6",
            "libsystemd0",
            "libzstd1",
            "lua-bitop",
            "lua-cjson",
            "redis-server",
            "redis-tools",
        ],
        unwanted: &["usr/bin/redis-benchmark", "usr/bin/redis-check-aof"],
        links: &[],
        commands: &[&["/usr/bin/redis-server", "--version"], &["/usr/bin/redis-cli", "--version"]],
    },
    programs: &[],
    entrypoint: &["/usr/bin/redis-server"],
    env: &["PATH=/usr/bin"],
};

/// The archives of the application's images, made first where they are missing or where what goes into them has changed. Takes a few seconds then,
/// and Debian's archive.
pub(crate) fn images() -> Result<Vec<PathBuf>> {
    let directory = Sandbox::from_environment()?.binaries().with_file_name("images");
    fs::create_dir_all(&directory).with_context(|| format!("create {}", directory.display()))?;
    [SHOP, REDIS].iter().map(|recipe| image(recipe, &directory)).collect()
}

fn image(recipe: &Recipe, directory: &Path) -> Result<PathBuf> {
    let archive = directory.join(format!("{}.tar", recipe.name));
    let programs = programs(recipe)?;
    let inputs = inputs(recipe, &programs);
    let made_from = archive.with_extension("inputs");
    if archive.exists() && fs::read_to_string(&made_from).is_ok_and(|made_from| made_from == inputs)
    {
        return Ok(archive);
    }
    step(&format!("image {}", recipe.reference), || {
        let root = recipe.tree.unpack(&directory.with_file_name("debian").join(recipe.name))?;
        let files: Vec<_> =
            programs.iter().map(|(path, bytes)| LayerFile { path, mode: 0o755, bytes }).collect();
        let layers = [
            Layer::from_directory(&root, Compression::None)?,
            Layer::from_files(&files, Compression::None)?,
        ];
        write_archive(&config(recipe)?, &layers, &archive)?;
        Ok(())
    })?;
    // Last: an archive that was not finished is made again.
    fs::write(&made_from, inputs).with_context(|| format!("write {}", made_from.display()))?;
    Ok(archive)
}

fn config(recipe: &Recipe) -> Result<ImageConfig> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Ok(ImageConfig {
        reference: recipe.reference.to_owned(),
        architecture: env::consts::ARCH.parse()?,
        entrypoint: owned(recipe.entrypoint),
        env: owned(recipe.env),
        working_dir: Some("/".to_owned()),
        ..ImageConfig::default()
    })
}

/// Where each program is in the image, and its text.
fn programs(recipe: &Recipe) -> Result<Vec<(String, Vec<u8>)>> {
    let source = paths::root().join("sandbox/shop");
    let read = |name: &&str| {
        let path = source.join(name);
        let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        Ok((format!("srv/shop/{name}"), bytes))
    };
    recipe.programs.iter().map(read).collect()
}

/// Tells whether an archive is up to date. Newer versions of Debian's packages do not count: the sandbox is not to change under a test.
fn inputs(recipe: &Recipe, programs: &[(String, Vec<u8>)]) -> String {
    let tree = recipe.tree.digest();
    Digest::of(format!("{recipe:?} {tree} {programs:?}").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_image_is_made_again_when_a_program_or_the_recipe_changes() {
        let programs = programs(&SHOP).unwrap();
        assert_eq!(programs.len(), SHOP.programs.len());
        let before = inputs(&SHOP, &programs);
        assert_eq!(before, inputs(&SHOP, &programs));

        let mut changed = programs.clone();
        changed[0].1.push(b'\n');
        assert_ne!(before, inputs(&SHOP, &changed));
        let recipe = Recipe { env: &["PATH=/bin"], ..SHOP };
        assert_ne!(before, inputs(&recipe, &programs));
    }

    #[test]
    fn every_program_that_the_manifests_start_is_in_the_image() {
        let manifests = fs::read_to_string(paths::root().join("sandbox/shop/shop.yaml")).unwrap();
        let started: Vec<_> = manifests
            .split("/srv/shop/")
            .skip(1)
            .map(|rest| rest.split(']').next().unwrap())
            .collect();
        assert_eq!(started.len(), SHOP.programs.len());
        assert!(started.iter().all(|program| SHOP.programs.contains(program)), "{started:?}");
    }
}
