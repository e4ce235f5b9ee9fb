//! `towline agent push` and `save` against Debian's `docker-registry`, for real: plain, with TLS, with a password. Skipped, with a note, where that
//! package is not installed.

#![allow(clippy::unwrap_used)]

#[path = "push/registry.rs"]
mod registry;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::registry::{Registry, Security};

/// Enough of an ELF header to be taken for a Linux program: magic, 64 bits, little endian, and the machine (62: amd64, 183: arm64).
fn agent(directory: &Path, machine: u8) -> PathBuf {
    let mut binary = vec![0; 4096];
    binary[..6].copy_from_slice(b"\x7fELF\x02\x01");
    binary[18] = machine;
    // Not to be compressed away.
    for (index, byte) in binary.iter_mut().enumerate().skip(64) {
        *byte = (index * 31 % 251) as u8;
    }
    let file = directory.join(format!("agent-{machine}"));
    std::fs::write(&file, binary).unwrap();
    file
}

fn towline(home: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_towline"))
        .args(arguments)
        .env("HOME", home)
        .env("NO_COLOR", "1")
        .env_remove("DOCKER_CONFIG")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Checks that it failed like this, and says all of `parts`.
fn refused(output: &Output, status: i32, parts: &[&str]) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "'{part}' is not said: {stderr}");
    }
}

#[test]
fn without_tls() {
    let home = tempfile::tempdir().unwrap();
    let Some(registry) = Registry::start(home.path(), Security::None) else { return };
    let binary = agent(home.path(), 62);
    let reference = format!("{}/tools/agent:1", registry.address);
    let push = ["agent", "push", &reference, "--binary", binary.to_str().unwrap()];

    let output = towline(home.path(), &[&push[..], &["--plain-http"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let (manifest, digest) = registry.manifest("tools/agent", "1");
    assert_eq!(text(&output.stdout), format!("{reference}@{digest}\n"));
    assert_eq!(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    let config = registry.blob("tools/agent", manifest["config"]["digest"].as_str().unwrap());
    assert_eq!(config["config"]["Entrypoint"][0], "/towline-agent");
    assert_eq!(config["architecture"], "amd64");

    // The same again has nothing to upload, and gives the same.
    let again = towline(home.path(), &[&push[..], &["--plain-http", "-o", "json"]].concat());
    let done: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(
        (&done["digest"], &done["architectures"][0]),
        (&Value::from(digest), &Value::from("amd64"))
    );

    // Without a tag it is this version's.
    let untagged = reference.trim_end_matches(":1");
    let output = towline(
        home.path(),
        &["agent", "push", untagged, "--plain-http", "--binary", binary.to_str().unwrap()],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    registry.manifest("tools/agent", env!("CARGO_PKG_VERSION"));

    refused(&towline(home.path(), &push), 3, &["cannot push to", "--plain-http"]);
}

#[test]
fn both_processors_become_an_index() {
    let home = tempfile::tempdir().unwrap();
    let Some(registry) = Registry::start(home.path(), Security::None) else { return };
    let (amd64, arm64) = (agent(home.path(), 62), agent(home.path(), 183));
    let reference = format!("{}/agent:both", registry.address);
    let push = ["agent", "push", &reference, "--plain-http"];
    let binaries = ["--binary", amd64.to_str().unwrap(), "--binary", arm64.to_str().unwrap()];
    let output = towline(home.path(), &[&push[..], &binaries[..]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let (index, _) = registry.manifest("agent", "both");
    assert_eq!(index["mediaType"], "application/vnd.oci.image.index.v1+json");
    for (entry, architecture) in
        index["manifests"].as_array().unwrap().iter().zip(["amd64", "arm64"])
    {
        assert_eq!(entry["platform"]["architecture"], architecture);
        let (manifest, _) = registry.manifest("agent", entry["digest"].as_str().unwrap());
        let config = registry.blob("agent", manifest["config"]["digest"].as_str().unwrap());
        assert_eq!(config["architecture"], architecture);
    }
}

#[test]
fn with_tls() {
    let home = tempfile::tempdir().unwrap();
    let Some(registry) = Registry::start(home.path(), Security::Tls) else { return };
    let binary = agent(home.path(), 62);
    let reference = format!("{}/agent:tls", registry.address);
    let push = ["agent", "push", &reference, "--binary", binary.to_str().unwrap()];

    refused(&towline(home.path(), &push), 3, &["certificate", "--ca FILE"]);
    let authority = registry.authority.to_str().unwrap();
    let output = towline(home.path(), &[&push[..], &["--ca", authority]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    registry.manifest("agent", "tls");
    let output = towline(home.path(), &[&push[..], &["--insecure"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));

    refused(
        &towline(home.path(), &[&push[..], &["--ca", binary.to_str().unwrap()]].concat()),
        2,
        &["certificate"],
    );
    refused(
        &towline(home.path(), &[&push[..], &["--ca", "/no/such/file"]].concat()),
        2,
        &["/no/such/file"],
    );
}

#[test]
fn with_a_password() {
    let home = tempfile::tempdir().unwrap();
    let Some(registry) = Registry::start(home.path(), Security::TlsAndPassword) else { return };
    let binary = agent(home.path(), 62);
    let reference = format!("{}/agent:secret", registry.address);
    let authority = registry.authority.to_str().unwrap();
    let push =
        ["agent", "push", &reference, "--binary", binary.to_str().unwrap(), "--ca", authority];
    let login = format!("docker login {}", registry.address);

    refused(&towline(home.path(), &push), 3, &["none is known here", &login]);

    // base64 of jane:wrong-horse, then of jane:correct-horse
    registry.docker_config(home.path(), r#"{"auth": "amFuZTp3cm9uZy1ob3JzZQ=="}"#);
    let output = towline(home.path(), &push);
    refused(&output, 3, &["does not accept the user and password", &login]);
    assert!(!text(&output.stderr).contains("wrong-horse"), "a password is told");
    registry.docker_config(home.path(), r#"{"auth": "amFuZTpjb3JyZWN0LWhvcnNl"}"#);
    let output = towline(home.path(), &push);
    assert!(output.status.success(), "{}", text(&output.stderr));
    registry.manifest("agent", "secret");
}

#[test]
fn with_a_credential_helper() {
    let home = tempfile::tempdir().unwrap();
    let Some(registry) = Registry::start(home.path(), Security::TlsAndPassword) else { return };
    let binary = agent(home.path(), 62);
    let reference = format!("{}/agent:helped", registry.address);
    let authority = registry.authority.to_str().unwrap();
    let run = |script: &str| {
        registry.credential_helper(home.path(), script);
        let path = format!("{}:{}", home.path().display(), std::env::var("PATH").unwrap());
        Command::new(env!("CARGO_BIN_EXE_towline"))
            .args([
                "agent",
                "push",
                &reference,
                "--binary",
                binary.to_str().unwrap(),
                "--ca",
                authority,
                "-v",
            ])
            .env("HOME", home.path())
            .env("PATH", path)
            .env_remove("DOCKER_CONFIG")
            .output()
            .unwrap()
    };
    let output = run(
        r#"read server; echo "{\"ServerURL\":\"$server\",\"Username\":\"jane\",\"Secret\":\"correct-horse\"}""#,
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    registry.manifest("agent", "helped");

    let output = run("read server; echo 'the keychain is locked' >&2; echo hunter2; exit 1");
    refused(&output, 2, &["docker-credential-test", "the keychain is locked"]);
    assert!(!text(&output.stderr).contains("hunter2"), "a helper's output is told");
    let output = run("read server; echo 'credentials not found in native keychain'; exit 1");
    refused(&output, 3, &["none is known here"]);
}

#[test]
fn what_cannot_be_pushed() {
    let home = tempfile::tempdir().unwrap();
    let binary = agent(home.path(), 62);
    let binary = binary.to_str().unwrap();
    let push = |reference: &str, more: &[&str]| {
        towline(home.path(), &[&["agent", "push", reference, "--binary", binary], more].concat())
    };
    // Nothing listens on port 1.
    refused(&push("127.0.0.1:1/agent:1", &["--plain-http"]), 3, &["127.0.0.1:1", "refused"]);
    refused(&push("127.0.0.1:1/Agent:1", &[]), 2, &["127.0.0.1:1/Agent:1", "REGISTRY/NAME:TAG"]);
    let digest = format!("127.0.0.1:1/agent@sha256:{}", "0".repeat(64));
    refused(&push(&digest, &[]), 2, &["digest"]);
    refused(
        &push("127.0.0.1:1/agent:1", &["--binary", "/bin/no-such-agent"]),
        2,
        &["/bin/no-such-agent"],
    );
    refused(&push("127.0.0.1:1/agent:1", &["--binary", binary]), 2, &["two agents for amd64"]);
    let script = home.path().join("script");
    std::fs::write(&script, "#!/bin/sh\n# a script is no agent\n").unwrap();
    refused(
        &push("127.0.0.1:1/agent:1", &["--binary", script.to_str().unwrap()]),
        2,
        &["no Linux program"],
    );
}

#[test]
fn saving() {
    let home = tempfile::tempdir().unwrap();
    let binary = agent(home.path(), 183);
    let file = home.path().join("agent.tar");
    let save = ["agent", "save", file.to_str().unwrap(), "--binary", binary.to_str().unwrap()];
    let output = towline(home.path(), &save);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), format!("towline.dev/agent:{}\n", env!("CARGO_PKG_VERSION")));
    let names = Command::new("tar").arg("tf").arg(&file).output().unwrap();
    assert!(text(&names.stdout).contains("manifest.json"), "{}", text(&names.stdout));

    let piped = towline(home.path(), &["agent", "save", "-", "--binary", binary.to_str().unwrap()]);
    assert_eq!(piped.stdout, std::fs::read(&file).unwrap());
    refused(
        &towline(home.path(), &[&save[..], &["--arch", "amd64"]].concat()),
        2,
        &["no agent for amd64"],
    );
    refused(&towline(home.path(), &[&save[..], &["--arch", "riscv"]].concat()), 2, &["riscv"]);
    refused(
        &towline(
            home.path(),
            &["agent", "save", "/no/such/dir/x.tar", "--binary", binary.to_str().unwrap()],
        ),
        2,
        &["/no/such/dir"],
    );
}
