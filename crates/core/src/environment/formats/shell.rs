//! `export` lines for a POSIX shell.

use super::left_out;
use crate::environment::dotenv::{READ_ONLY_IN_SHELLS, is_shell_name, quote};
use crate::environment::{Bytes, Environment};

/// `export NAME='value'` lines. A shell that reads them exports every byte of every value.
pub fn shell(environment: &Environment) -> Bytes {
    let mut text = Vec::new();
    for (name, value) in environment.for_program() {
        if !is_shell_name(name) {
            text.extend(left_out("#", name, "a shell has no such names").into_bytes());
            continue;
        }
        // An export of these ends the shell that reads it.
        if READ_ONLY_IN_SHELLS.contains(&name) {
            text.extend(left_out("#", name, "shells keep it for themselves").into_bytes());
            continue;
        }
        text.extend_from_slice(b"export ");
        text.extend_from_slice(name.as_bytes());
        text.push(b'=');
        text.extend_from_slice(&quote(value));
        text.push(b'\n');
    }
    text.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;
    use crate::environment::formats::fixture::{AWKWARD, awkward, environment, named};
    use crate::environment::parse_environ;

    /// What `shell` exports after it has read the lines.
    fn exported(shell: &str, environment: &Environment) -> Vec<Vec<u8>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, Vec::from(super::shell(environment))).unwrap();
        let output = Command::new(shell)
            .args(["-c", "set -eu; . \"$1\"; exec /usr/bin/env -0", "sh"])
            .arg(file.path())
            .env_clear()
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "{shell}: {}", output.status);
        let ours = |name: &Vec<u8>| name.starts_with(b"V_");
        let mut found: Vec<(Vec<u8>, Vec<u8>)> = parse_environ(&output.stdout)
            .into_iter()
            .map(|variable| (Vec::from(variable.name), Vec::from(variable.value)))
            .filter(|(name, _)| ours(name))
            .collect();
        found.sort();
        found.into_iter().map(|(_, value)| value).collect()
    }

    #[test]
    fn every_shell_gives_back_the_bytes() {
        let expected: Vec<Vec<u8>> = AWKWARD.map(|value| value.as_bytes().to_vec()).into();
        for shell in ["/bin/sh", "/bin/bash", "/bin/dash"] {
            if std::path::Path::new(shell).exists() {
                assert_eq!(exported(shell, &awkward()), expected, "{shell}");
            }
        }
    }

    proptest! {
        // A shell is started for each case, so few cases with many values.
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn arbitrary_bytes_survive_a_shell(values in proptest::collection::vec(proptest::collection::vec(1..=255u8, 0..40), 40)) {
            let slices: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(exported("/bin/sh", &environment(&slices)), values);
        }
    }

    #[test]
    fn what_a_shell_would_not_take_is_left_out() {
        for name in ["spring.profile", "A\nB=2;id", "UID"] {
            let text = String::from_utf8(super::shell(&named(name, "1")).into()).unwrap();
            assert!(text.starts_with("# ") && text.lines().count() == 1, "{text}");
        }
    }
}
