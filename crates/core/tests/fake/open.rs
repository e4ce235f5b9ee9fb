//! Opening a cluster, with everything that can be wrong on the way. Kubeconfigs and exec plugins are files of the test.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::net::TcpListener;
use towline_core::cluster::{Cluster, ClusterError, Kubeconfig, Options};
use towline_core::report::{Code, Explain, Report};

use crate::server::{Server, status};

pub(crate) fn kubeconfig(server: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\nclusters:\n- name: c\n  cluster: {{server: \"{server}\"}}\n\
         contexts:\n- name: here\n  context: {{cluster: c, user: u, namespace: shop}}\n- name: staging\n  context: {{cluster: c, user: u}}\n\
         users:\n- name: u\n  user: {user}\n"
    )
}

pub(crate) fn write(directory: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = directory.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn plugin(directory: &TempDir, script: &str) -> PathBuf {
    let path = write(directory, "plugin", &format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn exec(command: &Path) -> String {
    let command = command.display();
    format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: \"{command}\", installHint: Get it from your provider., interactiveMode: IfAvailable}}}}"
    )
}

async fn open(text: &str, context: Option<&str>) -> Result<Cluster, ClusterError> {
    let directory = TempDir::new().unwrap();
    let kubeconfig = Some(write(&directory, "config", text));
    Cluster::open(Options { context: context.map(str::to_owned), kubeconfig, ..Options::default() })
        .await
}

async fn refused(text: &str, context: Option<&str>) -> Report {
    open(text, context).await.unwrap_err().explain()
}

#[tokio::test]
async fn a_cluster_is_opened_by_its_current_context() {
    let server = Server::version().await;
    let cluster = open(&kubeconfig(&server.url, "{token: secret}"), None).await.unwrap();
    assert_eq!((cluster.context(), cluster.default_namespace()), ("here", "shop"));
    let version = cluster.version();
    assert_eq!((version.text.as_str(), version.minor), ("v1.33.1", Some(33)));
    assert_eq!(server.authorizations(), ["Bearer secret"]);
}

#[tokio::test]
async fn an_unknown_context_is_answered_by_the_known_ones() {
    let report = refused(&kubeconfig("http://127.0.0.1:1", "{}"), Some("stagin")).await;
    assert_eq!(report.code, Code::ContextUnknown);
    assert_eq!(report.message, "The kubeconfig has no context 'stagin'.");
    assert_eq!(report.hint.unwrap(), "Did you mean 'staging'? Known contexts: here, staging.");
}

#[tokio::test]
async fn nobody_listening_is_told_with_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let report = refused(&kubeconfig(&url, "{}"), None).await;
    assert_eq!(report.code, Code::Unreachable);
    let expected = format!(
        "Could not connect to the cluster of the context 'here': {url} refuses connections."
    );
    assert_eq!(report.message, expected);
}

#[tokio::test]
async fn refused_credentials_are_told_from_missing_rights() {
    let server = Server::start(|_| status(401, "Unauthorized", "Unauthorized")).await;
    let report = refused(&kubeconfig(&server.url, "{token: old}"), None).await;
    assert_eq!(report.code, Code::Unauthorized);

    let anonymous = "forbidden: User \"system:anonymous\" cannot get path \"/version\"";
    let server = Server::start(|_| status(403, "Forbidden", anonymous)).await;
    // The version is a courtesy; the next request tells.
    let cluster = open(&kubeconfig(&server.url, "{}"), None).await.unwrap();
    assert_eq!(cluster.version().text, "unknown");
    let error = towline_core::look::namespaces(&cluster).await.unwrap_err();
    assert_eq!(error.code(), Code::Unauthorized);

    let ada = "namespaces is forbidden: User \"ada\" cannot list resource \"namespaces\" in API group \"\" at the cluster scope";
    let server = Server::start(|_| status(403, "Forbidden", ada)).await;
    let cluster = open(&kubeconfig(&server.url, "{}"), None).await.unwrap();
    let error = towline_core::look::namespaces(&cluster).await.unwrap_err();
    assert_eq!(error.code(), Code::Forbidden);
    assert!(error.to_string().ends_with(ada), "{error}");
}

#[tokio::test]
async fn a_missing_plugin_is_named_with_where_it_was_looked_for() {
    let text = kubeconfig("http://127.0.0.1:1", &exec(Path::new("no-such-plugin")));
    let error = open(&text, None).await.unwrap_err();
    let ClusterError::PluginMissing { command, searched, install_hint, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(command, "no-such-plugin");
    let path: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap()).collect();
    assert_eq!(searched, path);
    assert_eq!(install_hint.unwrap(), "Get it from your provider.");

    let text = kubeconfig("http://127.0.0.1:1", &exec(Path::new("/no/such/plugin")));
    let report = refused(&text, None).await;
    assert_eq!(report.code, Code::ExecPlugin);
    assert_eq!(
        report.message,
        "The exec plugin '/no/such/plugin' of the context 'here' was not found; looked in /no/such/plugin."
    );
}

#[tokio::test]
async fn a_failing_plugin_is_quoted() {
    let directory = TempDir::new().unwrap();
    let command = plugin(&directory, "echo 'Your login has expired.' >&2; exit 3");
    let report = refused(&kubeconfig("http://127.0.0.1:1", &exec(&command)), None).await;
    assert_eq!(report.code, Code::ExecPlugin);
    assert!(report.message.ends_with("failed (exit status: 3)."), "{}", report.message);
    assert_eq!(report.detail.unwrap(), "Your login has expired.");
}

#[tokio::test]
async fn a_plugins_output_is_never_quoted() {
    let directory = TempDir::new().unwrap();
    let command = plugin(&directory, "echo 'status: [s3cr3t'");
    let report = refused(&kubeconfig("http://127.0.0.1:1", &exec(&command)), None).await;
    assert_eq!(report.code, Code::ExecPlugin);
    assert!(!format!("{report:?}").contains("s3cr3t"), "{report:?}");
}

#[tokio::test]
async fn a_plugin_runs_once_and_again_when_its_token_ends() {
    let directory = TempDir::new().unwrap();
    let runs = directory.path().join("runs");
    // The first token has ended when it is given.
    let script = r#"test -n "$KUBERNETES_EXEC_INFO" || exit 9
echo run >> RUNS
n=$(wc -l < RUNS | tr -d ' ')
end=2999-01-01T00:00:00Z
test "$n" = 1 && end=2020-01-01T00:00:00Z
printf '{"kind":"ExecCredential","status":{"token":"t%s","expirationTimestamp":"%s"}}' "$n" "$end""#;
    let command = plugin(&directory, &script.replace("RUNS", &runs.display().to_string()));
    let server = Server::version().await;
    let cluster = open(&kubeconfig(&server.url, &exec(&command)), None).await.unwrap();
    cluster.client().apiserver_version().await.unwrap();
    assert_eq!(server.authorizations(), ["Bearer t2", "Bearer t2"]);
    assert_eq!(fs::read_to_string(&runs).unwrap().lines().count(), 2);
}

#[tokio::test]
async fn what_a_plugin_says_is_shown_while_it_runs() {
    let directory = TempDir::new().unwrap();
    let command = plugin(&directory, "echo 'Open the page' >&2; echo 'status: {token: t}'");
    let server = Server::version().await;
    let text = kubeconfig(&server.url, &exec(&command));
    let kubeconfig = Some(write(&directory, "config", &text));
    let shown = Arc::new(Mutex::new(Vec::new()));
    let keep = shown.clone();
    let show: towline_core::cluster::Show =
        Arc::new(move |bytes| keep.lock().unwrap().extend_from_slice(bytes));
    Cluster::open(Options { kubeconfig, show: Some(show), ..Options::default() }).await.unwrap();
    assert_eq!(*shown.lock().unwrap(), b"Open the page\n");
}

#[test]
fn files_are_merged_and_the_first_wins() {
    let directory = TempDir::new().unwrap();
    let one = write(&directory, "one", &kubeconfig("https://one", "{}"));
    let two = write(
        &directory,
        "two",
        "current-context: other\nclusters: [{name: c, cluster: {server: 'https://two'}}, {name: d, cluster: {server: 'https://d'}}]\n\
         contexts: [{name: here, context: {cluster: d}}, {name: other, context: {cluster: d, user: v}}]\n\
         users: [{name: v, user: {exec: {command: aws}}}]\n",
    );
    let absent = directory.path().join("absent");
    let loaded = Kubeconfig::read(&[one.clone(), absent, two.clone()]).unwrap();
    let rows: Vec<_> = loaded
        .contexts()
        .into_iter()
        .map(|entry| (entry.name, entry.server.unwrap(), entry.current, entry.plugin, entry.file))
        .collect();
    let aws = Some("aws".to_owned());
    assert_eq!(
        rows,
        [
            ("here".to_owned(), "https://one".to_owned(), true, None, one.clone()),
            ("other".to_owned(), "https://d".to_owned(), false, aws, two),
            ("staging".to_owned(), "https://one".to_owned(), false, None, one),
        ]
    );
}

#[tokio::test]
async fn a_broken_file_is_named_and_the_others_are_listed() {
    let directory = TempDir::new().unwrap();
    let text = "apiVersion: v1\nusers:\n- name: u\n  user: {token: s3cr3t\ncontexts: [\n";
    let broken = write(&directory, "broken", text);
    let good = write(&directory, "good", &kubeconfig("https://one", "{}"));
    let loaded = Kubeconfig::read(&[broken.clone(), good]).unwrap();
    assert_eq!(loaded.contexts().len(), 2);
    let [problem] = loaded.broken() else { panic!("{:?}", loaded.broken()) };
    assert_eq!(problem.file, broken);
    assert!(problem.reason.contains("line"), "{}", problem.reason);
    assert!(!problem.reason.contains("s3cr3t"), "{}", problem.reason);

    let options = Options { kubeconfig: Some(broken), ..Options::default() };
    let report = Cluster::open(options).await.unwrap_err().explain();
    assert_eq!(report.code, Code::KubeconfigBroken);
    assert!(report.message.contains("broken cannot be used"), "{}", report.message);
}

#[test]
fn no_file_at_all_is_told_with_the_places() {
    let missing = PathBuf::from("/no/such/kubeconfig");
    let error = Kubeconfig::read(&[missing]).unwrap_err().explain();
    assert_eq!(error.code, Code::KubeconfigMissing);
    assert_eq!(error.message, "There is no kubeconfig; looked for /no/such/kubeconfig.");
}
