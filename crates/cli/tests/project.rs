//! Project files and diagnostics on the command line, without a cluster.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// `towline` in a directory, with a home and an environment of its own.
fn run(directory: &Path, arguments: &[&str]) -> Output {
    let home = directory.join("home");
    std::fs::create_dir_all(&home).unwrap();
    Command::new(env!("CARGO_BIN_EXE_towline"))
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("HOME", &home)
        .env("TMPDIR", &home)
        .env("KUBECONFIG", directory.join("kubeconfig"))
        .env("PATH", std::env::var_os("PATH").unwrap())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(directory.path().join(".git")).unwrap();
    for (name, text) in files {
        let file = directory.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    directory
}

/// A cluster that refuses connections.
const KUBECONFIG: &str = "\
apiVersion: v1
kind: Config
current-context: acme-prod
contexts: [{name: acme-prod, context: {cluster: acme, user: jane}}]
clusters: [{name: acme, cluster: {server: 'https://127.0.0.1:1'}}]
users: [{name: jane, user: {token: s3cr3t-t0k3n}}]
";

#[test]
fn without_a_target_there_must_be_a_file() {
    let empty = project(&[]);
    let output = run(empty.path(), &["connect"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("no towline.yaml in"), "{}", said(&output));
    let output = run(empty.path(), &["connect", "--project", "other.yaml"]);
    assert!(said(&output).contains("other.yaml cannot be read"), "{}", said(&output));
}

#[test]
fn a_mistake_is_told_with_its_place() {
    let directory = project(&[
        ("towline.yaml", "target: orders\nprograms:\n  command: x\n"),
        ("a/b/.keep", ""),
    ]);
    let output = run(&directory.path().join("a/b"), &["connect", "-o", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    let message = object["error"]["message"].as_str().unwrap();
    assert!(
        message.ends_with("towline.yaml, line 2, column 1: there is no key 'programs' here."),
        "{message}"
    );
    assert!(
        object["error"]["hint"].as_str().unwrap().contains("Did you mean 'program'?"),
        "{object}"
    );
    // The file is not looked at where a target is given: the cluster is what is missing then.
    let output = run(directory.path(), &["plan", "orders"]);
    assert!(!said(&output).contains("towline.yaml"), "{}", said(&output));
}

#[test]
fn the_command_line_wins() {
    let text = "target: orders\ncontext: nowhere\nprogram:\n  command: no-such-program\n";
    let directory = project(&[("towline.yaml", text), ("kubeconfig", KUBECONFIG)]);
    let output = run(directory.path(), &["connect"]);
    assert_eq!(output.status.code(), Some(127), "{}", said(&output));
    assert!(said(&output).contains("no-such-program"), "{}", said(&output));
    let output = run(directory.path(), &["connect", "--", "true"]);
    assert!(said(&output).contains("nowhere"), "{}", said(&output));
    let output = run(directory.path(), &["connect", "--context", "acme-prod", "--", "true"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let elsewhere = project(&[(
        "towline.yaml",
        "target: x\nprogram: {command: 'true', workingDirectory: not-there}\n",
    )]);
    let output = run(elsewhere.path(), &["connect"]);
    assert!(said(&output).contains("not-there is no directory"), "{}", said(&output));
}

#[test]
fn a_file_of_bridge_becomes_one_of_our_own() {
    let text = "version: 0.1\nenv:\n  - name: A\n    value: $(services:web)/x\nenableFeatures: [ManagedIdentity]\n";
    let directory = project(&[("KubernetesLocalProcessConfig.yaml", text)]);
    let output = run(directory.path(), &["project", "import"]);
    assert!(output.status.success(), "{}", said(&output));
    let own = directory.path().join("towline.yaml");
    std::fs::write(&own, &output.stdout).unwrap();
    let checked = run(directory.path(), &["project", "check", "-o", "json"]);
    let meaning: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(meaning["environment"], serde_json::json!([["A", "${service:web.ip}/x"]]));
    assert_eq!(meaning["form"], "towline");
    let checked = run(directory.path(), &["project", "check", "KubernetesLocalProcessConfig.yaml"]);
    assert!(
        said(&checked).contains("warning: enableFeatures: ManagedIdentity"),
        "{}",
        said(&checked)
    );
    let again = run(directory.path(), &["project", "import", "towline.yaml"]);
    assert_eq!(again.status.code(), Some(2));
    let schema: Value =
        serde_json::from_slice(&run(directory.path(), &["project", "schema"]).stdout).unwrap();
    assert_eq!(schema["title"], "towline.yaml");
}

#[test]
fn words_for_ports() {
    let directory = project(&[("kubeconfig", KUBECONFIG)]);
    for bad in ["0", "x", "80:term", "70000"] {
        let output =
            run(directory.path(), &["connect", "orders", "--free-port", bad, "--", "true"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains("is not PORT or PORT:kill"), "{}", said(&output));
    }
}

#[test]
fn a_report_names_no_secret_no_server_and_no_context() {
    use std::os::unix::fs::PermissionsExt;
    let directory = project(&[("kubeconfig", KUBECONFIG)]);
    let logs = directory.path().join("home/Towline");
    std::fs::create_dir_all(&logs).unwrap();
    std::fs::set_permissions(&logs, PermissionsExt::from_mode(0o700)).unwrap();
    let line =
        "connecting acme-prod at https://api.acme.example with Authorization: Bearer abcdefgh123\n";
    std::fs::write(logs.join("towline-cli.log"), line).unwrap();
    let output = run(directory.path(), &["diagnostics", "--bundle", "report.txt"]);
    // The cluster refuses, and that is what is wrong.
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("✗ wrong"), "{}", said(&output));
    let file = directory.path().join("report.txt");
    let report = std::fs::read_to_string(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    for part in ["## Checks", "## towline-cli.log, the last 1 lines", "connecting [context"] {
        assert!(report.contains(part), "'{part}': {report}");
    }
    for secret in ["acme", "abcdefgh123", "s3cr3t"] {
        assert!(!report.contains(secret), "'{secret}': {report}");
    }
    let offline = run(directory.path(), &["diagnostics", "--offline", "-o", "json"]);
    let findings: Value = serde_json::from_slice(&offline.stdout).unwrap();
    assert!(
        findings["checks"].as_array().unwrap().iter().all(|check| check["title"] != "cluster"),
        "{findings}"
    );
    assert_eq!(offline.status.code(), Some(0));
}
