#![allow(clippy::unwrap_used)]

use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use tokio::sync::watch;
use towline_core::journal::Journal;

use super::*;
use crate::shell_path::LoginShell;
use crate::view::{ClusterPhase, Preferences, SortColumn, TableKind};

const LIMIT: Duration = Duration::from_secs(30);

struct Scene {
    explorer: Explorer,
    outbox: Outbox,
    _settings: watch::Sender<Preferences>,
    _home: tempfile::TempDir,
}

/// An explorer with one context `here` whose server is `address`.
fn scene(address: &str) -> Scene {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config");
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: c\n  cluster: {{server: 'http://{address}'}}\n\
         contexts:\n- name: here\n  context: {{cluster: c, namespace: shop}}\n"
    );
    std::fs::write(&file, text).unwrap();
    let (settings, receiver) = watch::channel(settings(&file));
    let outbox = Outbox::new();
    let contexts = Contexts::watch(outbox.clone(), receiver);
    let leftovers = Leftovers::read(outbox.clone(), Journal::at(home.path().join("sessions")));
    let search_path = SearchPath::begin(None, LoginShell::Ignored);
    let explorer = Explorer::new(outbox.clone(), contexts, search_path, leftovers);
    Scene { explorer, outbox, _settings: settings, _home: home }
}

fn settings(file: &Path) -> Preferences {
    Preferences {
        theme: Default::default(),
        mode: Default::default(),
        lease_seconds: 120,
        kubeconfig_files: vec![file.display().to_string()],
        notifications: true,
        log_level: Default::default(),
        contexts: Vec::new(),
        file: String::new(),
        log_directory: String::new(),
        problem: None,
    }
}

impl Scene {
    fn phase(&self) -> Option<ClusterPhase> {
        self.explorer.clusters().first().map(|cluster| cluster.phase.clone())
    }

    async fn until(&self, fits: impl Fn(&ClusterPhase) -> bool) -> ClusterPhase {
        let mut changed = self.outbox.changed();
        let wait = async {
            loop {
                changed.mark_unchanged();
                if let Some(phase) = self.phase().filter(|phase| fits(phase)) {
                    return phase;
                }
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(LIMIT, wait).await.expect("the phase comes")
    }
}

#[tokio::test]
async fn no_cluster_is_contacted_before_it_is_picked() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let scene = scene(&server.local_addr().unwrap().to_string());
    assert_eq!(scene.explorer.shared.contexts.current().contexts.len(), 1);
    assert_eq!(server.accept().unwrap_err().kind(), ErrorKind::WouldBlock);

    scene.explorer.connect("here", Vec::new()).unwrap();
    let cluster = &scene.explorer.clusters()[0];
    assert!(matches!(cluster.phase, ClusterPhase::Connecting { .. }), "{cluster:?}");
    assert_eq!(cluster.watched, ["shop"]);
    server.set_nonblocking(false).unwrap();
    tokio::task::spawn_blocking(move || server.accept().map(drop)).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_cluster_that_cannot_be_opened_fails_with_its_reason_and_is_tried_again_on_request() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let scene = scene(&closed.to_string());
    scene.explorer.connect("here", Vec::new()).unwrap();
    let failed = |phase: &ClusterPhase| matches!(phase, ClusterPhase::Failed { report } if report.code == "unreachable");
    scene.until(failed).await;
    assert!(scene.explorer.opened().is_empty());

    scene.explorer.connect("here", Vec::new()).unwrap();
    assert!(matches!(scene.phase(), Some(ClusterPhase::Connecting { .. })));
    scene.until(failed).await;
    assert_eq!(scene.explorer.cluster("here").await.unwrap_err().code, "unreachable");
    scene.explorer.disconnect("here");
    assert_eq!(scene.phase(), None);
}

#[tokio::test]
async fn a_context_that_is_not_there_and_a_cluster_that_was_not_picked_are_told() {
    let scene = scene("127.0.0.1:1");
    let error = scene.explorer.connect("elsewhere", Vec::new()).unwrap_err();
    assert_eq!(error.code, "context_unknown");
    assert!(error.hint.unwrap().contains("here"));
    let query = RowsQuery {
        context: "here".into(),
        table: TableKind::Pods,
        filter: String::new(),
        sort: SortColumn::Name,
        descending: false,
        offset: 0,
        limit: 10,
    };
    assert!(scene.explorer.rows(&query).unwrap_err().message.contains("not connected"));
    assert!(scene.explorer.watch_namespaces("here", Vec::new()).is_err());
}
