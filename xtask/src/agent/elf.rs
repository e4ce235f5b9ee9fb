//! As much of the ELF format (64 bit, little endian) as tells a static binary.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

/// A program header that names the dynamic linker.
const INTERPRETER: u32 = 3;

/// Checks that a binary needs no dynamic linker, and with it no libc beside it.
pub(super) fn check_static(binary: &Path) -> Result<()> {
    let bytes = fs::read(binary).with_context(|| format!("read {}", binary.display()))?;
    match has_interpreter(&bytes) {
        Some(false) => Ok(()),
        Some(true) => bail!(
            "{} needs a dynamic linker, which the agent's image does not have; it was not built with crt-static",
            binary.display()
        ),
        None => bail!("{} is not a 64-bit ELF binary", binary.display()),
    }
}

fn has_interpreter(bytes: &[u8]) -> Option<bool> {
    if bytes.get(..5)? != b"\x7fELF\x02" {
        return None;
    }
    let offset = usize::try_from(u64::from_le_bytes(bytes.get(32..40)?.try_into().ok()?)).ok()?;
    let size = usize::from(u16::from_le_bytes(bytes.get(54..56)?.try_into().ok()?));
    let count = usize::from(u16::from_le_bytes(bytes.get(56..58)?.try_into().ok()?));
    for header in 0..count {
        let start = offset + header * size;
        let kind = u32::from_le_bytes(bytes.get(start..start + 4)?.try_into().ok()?);
        if kind == INTERPRETER {
            return Some(true);
        }
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tells_a_dynamic_binary_from_a_static_one() {
        let own = fs::read("/proc/self/exe").unwrap();
        assert_eq!(has_interpreter(&own), Some(true));
        // Debian's busybox-static and the sandbox's pause are static, but need not be installed where unit tests run: a header by hand, then.
        let mut header = vec![0; 64 + 56];
        header[..5].copy_from_slice(b"\x7fELF\x02");
        header[32] = 64;
        header[54] = 56;
        header[56] = 1;
        header[64] = 1;
        assert_eq!(has_interpreter(&header), Some(false));
        header[64] = 3;
        assert_eq!(has_interpreter(&header), Some(true));
        assert_eq!(has_interpreter(&header[..70]), Some(true));
        assert_eq!(has_interpreter(&header[..60]), None);
        assert_eq!(has_interpreter(b"#!/bin/sh"), None);
    }

    #[test]
    fn a_dynamic_binary_is_refused_with_the_reason() {
        let error = check_static(Path::new("/proc/self/exe")).unwrap_err();
        assert!(error.to_string().contains("crt-static"), "{error}");
    }
}
