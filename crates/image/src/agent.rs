use crate::{Architecture, Compression, Error, Image, ImageConfig, Layer, LayerFile};

/// The reference of this version's agent image, where nobody has set another.
pub const DEFAULT_REFERENCE: &str = concat!("towline.dev/agent:", env!("CARGO_PKG_VERSION"));

/// Where the agent is in its image, and its entrypoint.
pub const AGENT_PATH: &str = "/towline-agent";

/// The agent's image: the static binary and nothing else. It names no user and sets no variable, because both belong to the container it stands in for.
///
/// # Errors
///
/// When `binary` is not a Linux program for `architecture`, or `reference` has no tag.
pub fn agent_image(
    binary: &[u8],
    architecture: Architecture,
    reference: &str,
) -> Result<Image, Error> {
    check_binary(binary, architecture)?;
    let file = LayerFile { path: AGENT_PATH.trim_start_matches('/'), mode: 0o755, bytes: binary };
    let layer = Layer::from_files(&[file], Compression::Gzip)?;
    let config = ImageConfig {
        reference: reference.to_owned(),
        architecture,
        entrypoint: vec![AGENT_PATH.to_owned()],
        ..ImageConfig::default()
    };
    Image::new(&config, vec![layer])
}

/// A program for the wrong processor would only be found out by a pod that fails with "exec format error".
fn check_binary(binary: &[u8], architecture: Architecture) -> Result<(), Error> {
    let wrong = |found: String| Err(Error::Binary { architecture, found });
    // elf(5): magic, class at 4 (2 = 64 bits), data at 5 (1 = little endian), e_machine at 18.
    let Some((b"\x7fELF\x02\x01", machine)) = binary.get(..6).zip(binary.get(18..20)) else {
        return wrong(format!("{} bytes that are no 64-bit little-endian ELF", binary.len()));
    };
    match (u16::from_le_bytes([machine[0], machine[1]]), architecture) {
        (62, Architecture::Amd64) | (183, Architecture::Arm64) => Ok(()),
        (62, _) => wrong("it is for amd64".to_owned()),
        (183, _) => wrong("it is for arm64".to_owned()),
        (other, _) => wrong(format!("its ELF machine is {other}")),
    }
}
