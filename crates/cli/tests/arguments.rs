//! The command line without a cluster: help, what makes no sense, and what is wrong with a kubeconfig.

#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

/// `towline` with a home and an environment of its own.
fn towline(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_towline"));
    command
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("COLUMNS", "100");
    command
}

fn run(arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    towline(home.path(), arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Checks the exit status, that all of `parts` are said on standard error, and that standard output has nothing.
fn refused(output: &Output, status: i32, parts: &[&str]) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{stderr}");
    assert_eq!(text(&output.stdout), "");
    for part in parts {
        assert!(stderr.contains(part), "'{part}' is not said: {stderr}");
    }
}

const COMMANDS: [&[&str]; 22] = [
    &[],
    &["contexts"],
    &["services"],
    &["workloads"],
    &["pods"],
    &["plan"],
    &["connect"],
    &["env"],
    &["dns"],
    &["project"],
    &["project", "check"],
    &["project", "import"],
    &["project", "schema"],
    &["diagnostics"],
    &["status"],
    &["restore"],
    &["rbac"],
    &["agent"],
    &["agent", "save"],
    &["agent", "push"],
    &["completions"],
    &["man"],
];

#[test]
fn help() {
    for command in COMMANDS {
        let output = run(&[command, &["--help"]].concat());
        assert!(output.status.success());
        let name = format!(
            "help_{}",
            if command.is_empty() { "towline".to_owned() } else { command.join("_") }
        );
        insta::assert_snapshot!(name, text(&output.stdout));
        let short = run(&[command, &["-h"]].concat());
        assert!(short.status.success() && short.stdout.len() <= output.stdout.len());
    }
    let version = run(&["--version"]);
    assert_eq!(text(&version.stdout), format!("towline {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn manual_pages_and_completions() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(&["man", "--output", directory.path().join("man1").to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for command in COMMANDS {
        let file =
            directory.path().join("man1").join([&["towline"], command].concat().join("-") + ".1");
        let page = std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(page.contains(".TH"), "{}", file.display());
    }
    assert!(text(&run(&["man"]).stdout).contains(".TH towline 1"));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(text(&run(&["completions", shell]).stdout).contains("connect"), "{shell}");
    }
    let script = run(&["completions", "bash"]).stdout;
    let file = directory.path().join("towline.bash");
    std::fs::write(&file, script).unwrap();
    let script = ". \"$0\"; COMP_WORDS=(towline con); COMP_CWORD=1; _towline towline con towline; echo \"${COMPREPLY[*]}\"";
    let output = Command::new("bash").args(["-c", script]).arg(&file).output().unwrap();
    assert_eq!(text(&output.stdout).trim(), "contexts connect", "{}", text(&output.stderr));
}

#[test]
fn what_makes_no_sense() {
    for (arguments, parts) in [
        (&["conect", "x"][..], &["conect", "connect"][..]),
        (&["connect"], &["No target is given"]),
        (&["connect", "job/x"], &["job", "deployment/"]),
        (&["connect", "Web!"], &["Web!"]),
        (&["connect", "web", "--port", "80:81:82"], &["80:81:82", "REMOTE:LOCAL"]),
        (&["connect", "web", "--lease", "1s"], &["1s", "from 5 s"]),
        (&["connect", "web", "--timeout", "soon"], &["soon", "90s"]),
        (&["connect", "web", "command"], &["command", "--"]),
        (&["plan", "web", "-o", "xml"], &["xml", "text, json"]),
        (&["pods", "-A", "-n", "x"], &["--namespace"]),
        (&["restore"], &["TARGET"]),
        (&["restore", "web", "--all"], &["--all"]),
        (&["restore", "web", "-A"], &["--all-namespaces"]),
        (&["agent", "push", "x", "--plain-http", "--insecure"], &["--insecure"]),
        (&["rbac", "--service-account", "x"], &["NAMESPACE:NAME"]),
        (&["completions", "tcsh"], &["tcsh", "bash"]),
    ] {
        refused(&run(arguments), 2, parts);
    }
    let output = run(&["connect", "web", "--lease", "1s", "-o", "json"]);
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &object["error"]["code"]), (Some(2), &"input".into()));
    assert!(object["error"]["message"].as_str().unwrap().contains("1s"), "{object}");
    assert!(object["error"]["hint"].is_string(), "{object}");
}

#[test]
fn a_command_that_is_not_there_is_told_first() {
    let home = tempfile::tempdir().unwrap();
    let output = run(&["connect", "web", "--", "no-such-command-of-towline"]);
    refused(&output, 127, &["error: ", "no-such-command-of-towline", "hint: "]);
    refused(&run(&["connect", "web", "--mount"]), 2, &["--mount needs a command", "-- COMMAND"]);
    let file = home.path().join("data.py");
    std::fs::write(&file, "print()").unwrap();
    refused(&run(&["connect", "web", "--", file.to_str().unwrap()]), 126, &["data.py", "python3"]);
    let theirs = home.path().join(".env");
    std::fs::write(&theirs, "MINE=1\n").unwrap();
    let output = run(&["connect", "web", "--env-file", theirs.to_str().unwrap()]);
    refused(&output, 2, &[theirs.to_str().unwrap(), "--env-file"]);
    assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "MINE=1\n");
}

fn kubeconfig(server: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: dev\nclusters: [{{name: one, cluster: {{server: \"{server}\"}}}}]\n\
         users: [{{name: me, user: {user}}}]\ncontexts:\n- {{name: dev, context: {{cluster: one, user: me, namespace: shop}}}}\n\
         - {{name: staging, context: {{cluster: one, user: me}}}}\n"
    )
}

#[test]
fn kubeconfigs() {
    let home = tempfile::tempdir().unwrap();
    let towline = |arguments: &[&str], kubeconfig: &str| {
        towline(home.path(), arguments).env("KUBECONFIG", kubeconfig).output().unwrap()
    };
    let write = |name: &str, text: &str| {
        let file = home.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    refused(&towline(&["services"], "/no/such/kubeconfig"), 2, &["/no/such/kubeconfig", "hint: "]);
    refused(&run(&["contexts"]), 2, &[".kube/config"]);

    let broken = write("broken", "clusters: [\n");
    refused(&towline(&["services"], &broken), 2, &["broken"]);

    let good = write("good", &kubeconfig("https://127.0.0.1:1", "{token: s3cret}"));
    let listed = towline(&["contexts"], &good);
    assert!(listed.status.success(), "{}", text(&listed.stderr));
    insta::assert_snapshot!("contexts", text(&listed.stdout));
    let listed = towline(&["contexts", "-o", "json"], &good);
    let rows: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(
        (&rows[0]["name"], &rows[0]["current"], &rows[1]["name"]),
        (&"dev".into(), &true.into(), &"staging".into())
    );
    assert!(!text(&listed.stdout).contains("s3cret"), "a token is listed");

    // One broken file among several hides none of the others.
    let both = towline(&["contexts"], &format!("{good}:{broken}"));
    assert_eq!(both.status.code(), Some(2));
    assert!(
        text(&both.stdout).contains("staging") && text(&both.stderr).contains("broken"),
        "{both:?}"
    );

    refused(&towline(&["pods", "--context", "stagin"], &good), 2, &["stagin", "staging"]);
    let start = Instant::now();
    refused(&towline(&["pods"], &good), 3, &["127.0.0.1:1", "refuses"]);
    assert!(start.elapsed() < Duration::from_secs(10));
    let output = towline(&["plan", "web", "-o", "json"], &good);
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &object["error"]["code"]), (Some(3), &"unreachable".into()));
}

#[test]
fn exec_plugins() {
    let home = tempfile::tempdir().unwrap();
    let with = |command: &str| {
        let plugin = format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: \"{command}\", interactiveMode: Never, installHint: acme install}}}}"
        );
        let file = home.path().join("kubeconfig");
        std::fs::write(&file, kubeconfig("https://127.0.0.1:1", &plugin)).unwrap();
        towline(home.path(), &["pods"]).env("KUBECONFIG", file).output().unwrap()
    };
    refused(&with("acme-login"), 3, &["acme-login", "acme install"]);
    let plugin = home.path().join("acme-login");
    std::fs::write(&plugin, "#!/bin/sh\necho 'your session has expired' >&2\nexit 3\n").unwrap();
    std::fs::set_permissions(&plugin, PermissionsExt::from_mode(0o755)).unwrap();
    let output = with(plugin.to_str().unwrap());
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("acme-login"), "{}", text(&output.stderr));
}

#[test]
fn the_role_needs_no_cluster() {
    let output = run(&["rbac", "-n", "shop", "--user", "jane", "--namespaces", "billing"]);
    assert!(output.status.success());
    let printed = text(&output.stdout);
    for part in ["kind: Role\n", "kind: RoleBinding\n", "shop", "billing", "jane"] {
        assert!(printed.contains(part), "{printed}");
    }
    let printed = text(&run(&["rbac", "-A", "--group", "devs"]).stdout);
    assert!(printed.contains("kind: ClusterRole\n") && printed.contains("devs"), "{printed}");
}
