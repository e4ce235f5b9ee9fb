#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;
use crate::environment::{EnvironmentVariable, Origin, parse_environ};

/// Values that have broken somebody's parser.
const AWKWARD: [&str; 24] = [
    "",
    " ",
    "a b",
    "line 1\nline 2\n",
    "\n",
    "\r\n",
    "it's",
    "''",
    "say \"hi\"",
    "it's \"both\"",
    "$HOME ${HOME} $(id) `id`",
    "it's $5",
    "C:\\dir\\",
    "\\",
    "\\\\",
    "it\\'s",
    "#not a comment",
    "a #b",
    "=a=b",
    "~/x",
    "!history",
    "ünï çødé 🚢",
    "\t*?[]{}()<>|&;",
    "-----BEGIN KEY-----\nMIIB+/=\n-----END KEY-----\n",
];

fn environment(values: &[Vec<u8>]) -> Environment {
    let variable = |(index, value): (usize, &Vec<u8>)| EnvironmentVariable {
        name: format!("V_{index:04}"),
        value: value.clone().into(),
        origin: Origin::Literal,
        cluster_value: None,
        stays_local: false,
    };
    Environment { variables: values.iter().enumerate().map(variable).collect() }
}

/// What `shell` exports after reading the file.
fn sourced(shell: &str, environment: &Environment) -> Vec<Vec<u8>> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&write(environment)).unwrap();
    let output = Command::new(shell)
        .args(["-c", "set -eu; set -a; . \"$1\"; exec /usr/bin/env -0", "sh"])
        .arg(file.path())
        .env_clear()
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{shell}: {}", output.status);
    let mut found: Vec<_> = parse_environ(&output.stdout)
        .into_iter()
        .map(|variable| (Vec::from(variable.name), Vec::from(variable.value)))
        .filter(|(name, _)| name.starts_with(b"V_"))
        .collect();
    found.sort();
    found.into_iter().map(|(_, value)| value).collect()
}

#[test]
fn every_shell_gives_back_the_bytes() {
    let values: Vec<Vec<u8>> = AWKWARD
        .iter()
        .map(|value| value.as_bytes().to_vec())
        .chain([vec![0xff, 0xfe, b'\'', b'\\'], (1..=255).collect(), vec![b'x'; 100_000]])
        .collect();
    for shell in ["/bin/sh", "/bin/bash", "/bin/dash"] {
        if std::path::Path::new(shell).exists() {
            assert_eq!(sourced(shell, &environment(&values)), values, "{shell}");
        }
    }
}

proptest! {
    // A shell is started for each case, so few cases with many values.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn arbitrary_bytes_survive_a_shell(values in proptest::collection::vec(proptest::collection::vec(1..=255u8, 0..40), 40)) {
        prop_assert_eq!(sourced("/bin/sh", &environment(&values)), values);
    }

    #[test]
    fn arbitrary_punctuation_survives_a_shell(values in proptest::collection::vec("[ \\\\'\"$`\n#a={}()!]{0,12}", 40)) {
        let values: Vec<Vec<u8>> = values.into_iter().map(String::into_bytes).collect();
        prop_assert_eq!(sourced("/bin/sh", &environment(&values)), values);
    }
}

/// `docs/environment.md` says which values python-dotenv reads alike; this holds it to that.
#[test]
fn python_dotenv_reads_what_the_documentation_says() {
    let script = "import sys, json, dotenv; print(json.dumps(dotenv.dotenv_values(sys.argv[1], interpolate=False)))";
    let mixed = |value: &&&str| {
        let apostrophe_and = value.contains('\'') && value.contains(['"', '$', '`']);
        !apostrophe_and
            && !value.contains("\\\\")
            && !value.ends_with('\\')
            && !value.contains('\r')
    };
    let values: Vec<Vec<u8>> =
        AWKWARD.iter().filter(mixed).map(|value| value.as_bytes().to_vec()).collect();
    assert!(values.len() > 15, "{}", values.len());
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&write(&environment(&values))).unwrap();
    let output = Command::new("python3").args(["-c", script]).arg(file.path()).output();
    let output = match output {
        Ok(output) if output.status.success() => output,
        _ => {
            eprintln!("skipped: python3 with python-dotenv is not installed");
            return;
        }
    };
    let read: std::collections::BTreeMap<String, String> =
        serde_json::from_slice(&output.stdout).unwrap();
    let read: Vec<Vec<u8>> = read.into_values().map(String::into_bytes).collect();
    assert_eq!(read, values);
}

#[test]
fn the_form() {
    let quoted = |value: &str| String::from_utf8(quote(value.as_bytes())).unwrap();
    insta::assert_snapshot!(AWKWARD.map(quoted).join("\n"));
}

#[test]
fn names_that_no_shell_has_are_left_out() {
    let mut environment = environment(&[b"1".to_vec(), b"2".to_vec(), b"3".to_vec()]);
    environment.variables[0].name = "UID".into();
    environment.variables[1].name = "spring.profile".into();
    environment.variables[2].name = "A\nB=2;id".into();
    let file = String::from_utf8(write(&environment)).unwrap();
    let lines: Vec<&str> = file.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "# spring.profile is left out: a shell has no such names",
            "# A\\nB=2;id is left out: a shell has no such names",
            "UID=1",
        ]
    );
}
