//! The environment of the local program is the container's, byte for byte, but for what is documented (docs/environment.md).

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};
use tokio::process::Command;
use towline_cluster_tests::app::{HTTP, container, deployment, service};
use towline_cluster_tests::eventually;
use towline_cluster_tests::here::{Answering, free_port, parse_environ, source};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::towline::Connected;

type Variables = BTreeMap<OsString, OsString>;

/// Always this machine's.
const LOCAL: [&str; 22] = [
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "HOME",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "OLDPWD",
    "PATH",
    "PWD",
    "SHELL",
    "SHLVL",
    "SSH_AGENT_PID",
    "SSH_AUTH_SOCK",
    "SSH_CLIENT",
    "SSH_CONNECTION",
    "SSH_TTY",
    "TEMP",
    "TMP",
    "TMPDIR",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "_",
];
/// What the image of the tests' pods sets and the pod does not: this machine's too.
const LOCAL_UNLESS_SET: [&str; 2] = ["LANG", "TERM"];
/// The services that the test makes, as variables call them.
const SERVICES: [&str; 4] = ["APP", "CACHE", "REDIS", "KUBERNETES"];

/// A program that copies the environment that it was started with into the file of its first argument, and waits to be stopped.
const DUMP: &str = r#"
import os, signal, sys
with open("/proc/self/environ", "rb") as own, open(sys.argv[1] + ".part", "wb") as file:
    file.write(own.read())
os.rename(sys.argv[1] + ".part", sys.argv[1])
signal.pause()
"#;

/// A workload whose container has variables from everywhere that Kubernetes knows.
fn manifests() -> [Value; 6] {
    let mut main = container(HTTP, 8080);
    main["resources"] = json!({"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "250m", "memory": "96Mi"}});
    main["envFrom"] = json!([
        {"prefix": "SETTING_", "configMapRef": {"name": "settings"}},
        {"configMapRef": {"name": "settings"}},
        {"secretRef": {"name": "keys"}},
        {"secretRef": {"name": "not-there", "optional": true}},
    ]);
    main["env"] = json!([
        {"name": "LINES", "value": "first\n  second\n\nlast\n"},
        {"name": "QUOTES", "value": r#"'single' "double" `back` it's "#},
        {"name": "DOLLARS", "value": r"$HOME ${HOME} $$HOME $(pwd) \$x \\ \n C:\temp\"},
        {"name": "UNICODE", "value": "größer 日本 🚢 \u{301}"},
        {"name": "CONTROL", "value": "tab\there\r\nbell\u{7}escape\u{1b}[0m"},
        {"name": "BLANKS", "value": "  two before, two after  "},
        {"name": "SHELL_SIGNS", "value": "# a; b & c | d > e < f * ? [g] !h ~i =j"},
        {"name": "EMPTY"},
        {"name": "EMPTY_TOO", "value": ""},
        {"name": "dotted.name-with.dash", "value": "a name that no shell has"},
        {"name": "lower_case", "value": "x"},
        {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "ACCOUNT", "valueFrom": {"fieldRef": {"fieldPath": "spec.serviceAccountName"}}},
        {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "ANNOTATION", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['example.org/note']"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
        {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "requests.memory"}}},
        {"name": "FROM_MAP", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "lines"}}},
        {"name": "FROM_SECRET", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "PASSWORD"}}},
        {"name": "NOT_THERE", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "none", "optional": true}}},
        {"name": "REFERENCE", "value": "http://$(POD_NAME).$(POD_NAMESPACE)/$(LABEL)"},
        {"name": "NO_REFERENCE", "value": "$$(POD_NAME) $(NO_SUCH) $(LATER) $( $)"},
        {"name": "LATER", "value": "later"},
        {"name": "OVERRIDDEN", "value": "by env"},
        {"name": "REDIS_URL", "value": "redis://$(REDIS_SERVICE_HOST):$(REDIS_SERVICE_PORT)/0"},
        {"name": "CACHE_SERVICE_HOST", "value": "the spec's own"},
        {"name": "USER", "value": "the-pods-user"},
        {"name": "HOME", "value": "/pod/home"},
        {"name": "BOTH", "value": "the pod's"},
    ]);
    let mut app = deployment("app", 1, &[main]);
    app["spec"]["template"]["metadata"]["annotations"] = json!({"example.org/note": "two\nlines"});
    let settings = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"},
        "data": {"lines": "1\n2\n", "OVERRIDDEN": "by envFrom", "equals": "a=b=c", "dotted.key": "d", "empty": ""},
    });
    let keys = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"},
        "stringData": {"PASSWORD": "p'a\"s$s\\w`ord", "CERTIFICATE": "-----BEGIN-----\nAA==\n-----END-----\n"},
    });
    [
        service("app", 80, "http"),
        service("redis", 6379, 6379),
        service("cache", 11211, 11211),
        settings,
        keys,
        app,
    ]
}

/// The environment that the container of the only pod was started with, read in the container itself; and that pod.
async fn of_the_container(namespace: &Namespace) -> Result<(Variables, Pod)> {
    const READ: &str = "import sys; sys.stdout.buffer.write(open('/proc/1/environ', 'rb').read())";
    let pod = namespace.pods("app").await?.pop().context("a pod")?;
    let name = pod.metadata.name.as_deref().context("a name")?;
    let environ = namespace.kubectl(&["exec", name, "--", "python3", "-c", READ]).await?;
    Ok((parse_environ(environ.as_bytes())?, pod))
}

/// A pod's name and address, which are in the values of some variables.
fn identity(pod: &Pod) -> Result<[String; 2]> {
    let address =
        pod.status.as_ref().and_then(|status| status.pod_ip.clone()).context("an address")?;
    Ok([pod.metadata.name.clone().context("a name")?, address])
}

/// Whether the kubelet makes this variable for one of the test's services.
fn is_of_service(name: &str) -> bool {
    let rest = SERVICES.iter().find_map(|service| name.strip_prefix(service));
    rest.is_some_and(|rest| rest.starts_with("_SERVICE_") || rest.starts_with("_PORT"))
}

fn set_in_the_pod(name: &str) -> bool {
    manifests()[5]["spec"]["template"]["spec"]["containers"][0]["env"]
        .as_array()
        .is_some_and(|env| env.iter().any(|variable| variable["name"] == name))
}

/// What the local program must have of the container's variables: the pod's own name and address are those of the agent's pod.
fn expected(container: &Variables, was: &Pod, is: &Pod) -> Result<Variables> {
    let (was, is) = (identity(was)?, identity(is)?);
    let of_this_pod = |value: &OsStr| match value.to_str() {
        Some(text) => OsString::from(text.replace(&was[0], &is[0]).replace(&was[1], &is[1])),
        None => value.to_owned(),
    };
    let stays_local = |name: &str| {
        LOCAL.contains(&name) || (LOCAL_UNLESS_SET.contains(&name) && !set_in_the_pod(name))
    };
    let named = container.iter().map(|(name, value)| (name.to_string_lossy().into_owned(), value));
    let wanted = named.filter(|(name, _)| {
        !stays_local(name) && (set_in_the_pod(name) || !is_of_service(name)) && name != "REDIS_URL"
    });
    Ok(wanted.map(|(name, value)| (name.into(), of_this_pod(value))).collect())
}

/// The Python interpreter itself: what stands in PATH may be a script that changes the environment.
async fn interpreter() -> Result<String> {
    let output =
        Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().await?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[tokio::test]
async fn the_program_has_the_containers_environment() -> Result<()> {
    let namespace = Namespace::create("environment").await?;
    let [services @ .., app] = manifests();
    namespace.apply(services).await?;
    namespace.apply([app]).await?;
    namespace.ready("app", 1).await?;
    let (container, original_pod) = of_the_container(&namespace).await?;
    // The test would prove nothing without these.
    ensure!(container[OsStr::new("LINES")] == "first\n  second\n\nlast\n", "{container:?}");
    ensure!(
        container.contains_key(OsStr::new("SHOP_EDITION"))
            && container.contains_key(OsStr::new("REDIS_SERVICE_HOST")),
        "{container:?}"
    );

    let directory = tempfile::tempdir()?;
    let dump = directory.path().join("environ");
    let python = interpreter().await?;
    let file = dump.display().to_string();
    let mapping = format!("http:{}", free_port().await?);
    let all = [
        "connect",
        "app",
        "-n",
        &namespace.name,
        "-o",
        "json",
        "--port",
        &mapping,
        "--",
        &python,
        "-c",
        DUMP,
        &file,
    ];
    let mut command = namespace.towline(&all)?;
    command
        .env("ONLY_HERE", "kept")
        .env("BOTH", "of this machine")
        .env("LANG", "C.UTF-8")
        .env("USER", "me")
        .env_remove("TERM");
    let mut session = Connected::start(command)?;
    let connected = session.event("connected").await?;
    eventually("the program has written its environment", || async {
        Ok(dump.exists().then_some(()))
    })
    .await?;
    let program = parse_environ(&tokio::fs::read(&dump).await?)?;

    let agent_pod =
        namespace.api::<Pod>().get(connected["pods"][0].as_str().context("a pod")?).await?;
    let expected = expected(&container, &original_pod, &agent_pod)?;
    let differing: Vec<_> =
        expected.iter().filter(|(name, value)| program.get(*name) != Some(value)).collect();
    let shown = differing
        .iter()
        .map(|(name, value)| format!("{name:?}: expected {value:?}, is {:?}", program.get(*name)));
    ensure!(
        differing.is_empty(),
        "other than in the container:\n{}",
        shown.collect::<Vec<_>>().join("\n")
    );

    nothing_else(&program, &container)?;
    local_values(&mut session, &namespace, &program).await?;
    env_file_says_the_same(
        Path::new(connected["env_file"].as_str().context("a file")?),
        &program,
        &expected,
    )
    .await?;

    session.stop().await?;
    namespace.nothing_left().await
}

/// Beside the container's variables the program has this machine's and what Towline says it adds; nothing of the agent's.
fn nothing_else(program: &Variables, container: &Variables) -> Result<()> {
    let mine: Variables = std::env::vars_os().collect();
    let of_the_test = [
        "ONLY_HERE",
        "LANG",
        "USER",
        "KUBECONFIG",
        "NO_COLOR",
        "TOWLINE_KUBERNETES_CA",
        "TOWLINE_ROOT",
    ];
    let known = |name: &OsStr| {
        let text = name.to_string_lossy();
        // The harness gives each `towline` directories of its own.
        let directory = text.starts_with("XDG_");
        container.contains_key(name)
            || mine.contains_key(name)
            || directory
            || of_the_test.contains(&&*text)
            || is_of_service(&text)
    };
    let more: Vec<_> = program.iter().filter(|(name, _)| !known(name)).collect();
    ensure!(more.is_empty(), "variables from nowhere: {more:?}");
    Ok(())
}

/// What is documented to be another value here than in the container.
async fn local_values(
    session: &mut Connected,
    namespace: &Namespace,
    program: &Variables,
) -> Result<()> {
    let is = |name: &str, expected: &OsStr| {
        let seen = program.get(OsStr::new(name));
        ensure!(
            seen.is_some_and(|seen| seen == expected),
            "{name} is {seen:?}, expected {expected:?}"
        );
        Ok(())
    };
    for name in ["PATH", "HOME"] {
        is(name, &std::env::var_os(name).context("a variable of every process")?)?;
    }
    for (name, value) in [
        ("ONLY_HERE", "kept"),
        ("LANG", "C.UTF-8"),
        ("BOTH", "the pod's"),
        ("USER", "the-pods-user"),
    ] {
        is(name, OsStr::new(value))?;
    }
    ensure!(!program.contains_key(OsStr::new("TERM")), "TERM is not the pod's to give");
    // A literal that refers to a service follows it.
    let name = format!("redis.{}", namespace.name);
    let redis = session.find("service_added", |event| event["service"] == name.as_str()).await?;
    let address = redis["local"].as_str().context("an address")?;
    is("REDIS_URL", OsStr::new(&format!("redis://{address}/0")))
}

/// `sh` reads out of the env file what the program got, except names that a shell cannot have.
async fn env_file_says_the_same(
    file: &Path,
    program: &Variables,
    expected: &Variables,
) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = tokio::fs::metadata(file).await?.permissions().mode() & 0o777;
    ensure!(mode == 0o600, "{} has the mode {mode:o}", file.display());
    let shell = source(file).await?;
    let a_shell_has = |name: &OsStr| {
        name.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    };
    for (name, value) in expected.iter().filter(|(name, _)| a_shell_has(name)) {
        ensure!(
            shell.get(name) == Some(value),
            "in sh {name:?} is {:?}, expected {value:?}",
            shell.get(name)
        );
    }
    for (name, value) in &shell {
        ensure!(
            program.get(name) == Some(value),
            "{name:?} is {value:?} in sh and {:?} in the program",
            program.get(name)
        );
    }
    for name in ["PATH", "HOME", "ONLY_HERE"] {
        ensure!(
            !shell.contains_key(OsStr::new(name)),
            "{name} is this machine's, and is in the env file"
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_env_file_goes_where_the_user_wants_it() -> Result<()> {
    let namespace = Namespace::create("env-file").await?;
    namespace.http_app("app", 1).await?;
    let local = Answering::anywhere("local").await?;
    let mapping = local.mapped("http");
    let directory = tempfile::tempdir()?;
    let wanted = directory.path().join("orders.env");
    let path = wanted.display().to_string();

    // Somebody else's file stays as it is, and nothing is changed in the cluster.
    tokio::fs::write(&wanted, "MINE=1\n").await?;
    let refused = namespace
        .run(&[
            "connect",
            "app",
            "-n",
            &namespace.name,
            "-o",
            "json",
            "--port",
            &mapping,
            "--env-file",
            &path,
        ])
        .await?;
    refused.refused("input", 2, &[&path])?;
    ensure!(tokio::fs::read(&wanted).await? == b"MINE=1\n", "the user's file was overwritten");
    ensure!(namespace.left().await?.is_empty(), "something was made in the cluster");

    tokio::fs::write(&wanted, "").await?;
    let mut session = namespace.connect(&["app", "--port", &mapping, "--env-file", &path], &[])?;
    let connected = session.event("connected").await?;
    ensure!(connected["env_file"] == path.as_str(), "{connected}");
    ensure!(source(&wanted).await?[OsStr::new("GREETING")] == "hello", "the pod's variable");
    session.stop().await?;
    namespace.nothing_left().await
}
