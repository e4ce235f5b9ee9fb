//! Images that only a test needs: busybox, and what the test puts beside it.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;
use towline_image::{Compression, ImageConfig, Layer, LayerFile, write_archive};

/// The sandbox's image with Debian's static busybox at `/bin/busybox`.
pub const BUSYBOX: &str = "sandbox.local/busybox:1";

/// Makes an image with `/bin/busybox` and these scripts (path without the leading slash, text), and loads it into the cluster.
///
/// # Errors
/// When busybox is not there, or the sandbox does not take the image.
pub async fn load(reference: &str, scripts: &[(&str, &str)]) -> Result<()> {
    let busybox =
        std::fs::read("/bin/busybox").context("reading /bin/busybox (Debian's busybox-static)")?;
    let executable = |path, bytes| LayerFile { path, mode: 0o755, bytes };
    let mut files = vec![executable("bin/busybox", busybox.as_slice())];
    files.extend(scripts.iter().map(|(path, text)| executable(path, text.as_bytes())));
    let layer = Layer::from_files(&files, Compression::None)?;
    let config = ImageConfig { reference: reference.to_owned(), ..ImageConfig::default() };
    let archive = tempfile::NamedTempFile::new()?;
    write_archive(&config, &[layer], archive.path())?;

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(env!("CARGO"))
        .args(["xtask", "sandbox", "load-image"])
        .arg(archive.path())
        .current_dir(root)
        .stdin(Stdio::null())
        .output()
        .await?;
    ensure!(
        output.status.success(),
        "loading {reference}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
