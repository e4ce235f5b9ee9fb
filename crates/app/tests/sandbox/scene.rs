//! The application without its window, on a namespace of the cluster.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail};
use futures::FutureExt;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use serde_json::json;
use tokio::sync::watch;
use towline_app::clusters::Clusters;
use towline_app::launch::Launcher;
use towline_app::logs::Logs;
use towline_app::machine::Machine;
use towline_app::preferences::Preferences;
use towline_app::profiles::Profiles;
use towline_app::publish::Publish;
use towline_app::report::explained;
use towline_app::sessions::Sessions;
use towline_app::view::{
    Change, Files, LaunchRequest, LogLine, LogQuery, LogSource, Mode, Notice, Plan, PortMapping,
    ProgramSpec, Report, Session,
};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::{LIMIT, eventually, here};
use towline_core::cluster::{Cluster, Options};
use towline_core::journal::Journal;

/// An HTTP server on 127.0.0.1 at the port in its first argument: answers `local <its process>`, tells each request on standard output and its
/// beginning on standard error.
pub(crate) const PROGRAM: &str = r#"
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("asked for", self.path)
        body = f"local {os.getpid()}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print("serving with", os.environ["GREETING"], file=sys.stderr)
server.serve_forever()
"#;

/// See the module.
pub(crate) struct Scene {
    pub(crate) ns: Namespace,
    pub(crate) launcher: Launcher,
    pub(crate) sessions: Sessions,
    pub(crate) logs: Logs,
    pub(crate) profiles: Profiles,
    window: Arc<Window>,
}

/// What a window would have been told.
struct Window {
    changes: Mutex<Vec<Change>>,
    told: watch::Sender<usize>,
}

impl Publish for Window {
    fn put(&self, change: Change) {
        self.changes.lock().unwrap().push(change);
        self.told.send_modify(|told| *told += 1);
    }
}

/// The clusters of one kubeconfig file.
struct Kubeconfig(PathBuf);

impl Clusters for Kubeconfig {
    fn cluster(&self, _: &str) -> BoxFuture<'static, Result<Cluster, Report>> {
        let options = Options { kubeconfig: Some(self.0.clone()), ..Options::default() };
        async { Cluster::open(options).await.map_err(|error| explained(&error)) }.boxed()
    }
}

impl Scene {
    /// With the administrator's rights.
    pub(crate) async fn new(prefix: &str) -> Result<Self> {
        let ns = Namespace::create(prefix).await?;
        let kubeconfig = ns.kubeconfig()?.into();
        Self::with(ns, kubeconfig)
    }

    /// With another kubeconfig.
    pub(crate) fn with(ns: Namespace, kubeconfig: PathBuf) -> Result<Self> {
        let window = Arc::new(Window { changes: Mutex::default(), told: watch::Sender::new(0) });
        let publish: Arc<dyn Publish> = window.clone();
        let clusters: Arc<dyn Clusters> = Arc::new(Kubeconfig(kubeconfig));
        let file = |name: &str| Some(ns.home.path().join(name));
        std::fs::write(ns.home.path().join("settings.yaml"), "names: variables\n")?;
        let preferences =
            Preferences::open(publish.clone(), file("settings.yaml"), ns.home.path().join("logs"));
        let profiles = Profiles::open(publish.clone(), file("profiles.yaml"));
        let logs = Logs::new(publish.clone(), clusters.clone());
        let journal = Journal::at(ns.home.path().join("journal"));
        let sessions = Sessions::new(publish, logs.clone(), Arc::new(|| None), journal);
        let machine = Machine::new(window.clone());
        let launcher =
            Launcher::new(clusters, preferences, profiles.clone(), sessions.clone(), machine);
        Ok(Self { ns, launcher, sessions, logs, profiles, window })
    }

    /// The form for `target`, whose container listens on 8080, with a free port of this machine; and that port.
    pub(crate) async fn form(&self, target: &str, program: Program<'_>) -> Result<LaunchRequest> {
        let local = here::free_port().await?;
        let program = match program {
            Program::ByUser => ProgramSpec::ByUser,
            Program::Words(words) => {
                let port = local.to_string();
                let words = words.iter().map(|word| if *word == "PORT" { &port } else { *word });
                let line = shell_words::join(words);
                ProgramSpec::Command { line, directory: Some("/tmp".to_owned()) }
            }
        };
        Ok(LaunchRequest {
            context: "any".into(),
            namespace: self.ns.name.clone(),
            target: target.into(),
            container: None,
            ports: vec![PortMapping { remote: "http".into(), local }],
            namespaces: Vec::new(),
            program,
            mode: Mode::NoAdministrator,
            agent_image: None,
            pull_secret: None,
            lease_seconds: None,
            take_over: false,
            reconnect: false,
            exclude: Vec::new(),
            external_hosts: Vec::new(),
            project: None,
            files: Files::default(),
            without_taken_names: false,
        })
    }

    pub(crate) async fn plan(&self, form: LaunchRequest) -> Result<Plan> {
        self.launcher.plan(form).await.map_err(failed)
    }

    /// Begins the session that the form describes; gives its id.
    pub(crate) async fn begin(&self, form: LaunchRequest) -> Result<String> {
        let plan = self.plan(form).await?;
        self.launcher.connect(&plan.id).await.map_err(failed)
    }

    pub(crate) fn session(&self, id: &str) -> Result<Session> {
        let found = self.sessions.list().into_iter().find(|session| session.id == id);
        found.with_context(|| format!("there is no session {id}"))
    }

    /// Waits until the window has been told of a session that fits.
    pub(crate) async fn until(
        &self,
        what: &str,
        id: &str,
        fits: impl Fn(&Session) -> bool,
    ) -> Result<Session> {
        let mut told = self.window.told.subscribe();
        let waiting = async {
            loop {
                told.borrow_and_update();
                let newest =
                    self.window.changes.lock().unwrap().iter().rev().find_map(
                        |change| match change {
                            Change::Session { session } if session.id == id => {
                                Some(session.clone())
                            }
                            _ => None,
                        },
                    );
                if let Some(session) = newest.filter(|session| fits(session)) {
                    return *session;
                }
                if told.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        match tokio::time::timeout(LIMIT, waiting).await {
            Ok(session) => Ok(session),
            Err(_) => bail!("{what}: not within {} s: {:#?}", LIMIT.as_secs(), self.session(id)),
        }
    }

    pub(crate) fn notices(&self) -> Vec<Notice> {
        let changes = self.window.changes.lock().unwrap();
        let notices = changes.iter().filter_map(|change| match change {
            Change::Notice { notice } => Some(notice.clone()),
            _ => None,
        });
        notices.collect()
    }

    /// How often the window was told of this session.
    pub(crate) fn times_told(&self, id: &str) -> usize {
        let changes = self.window.changes.lock().unwrap();
        let of =
            |change: &&Change| matches!(change, Change::Session { session } if session.id == id);
        changes.iter().filter(of).count()
    }

    /// The last lines of a log from one source.
    pub(crate) fn lines(&self, log: &str, source: LogSource) -> Result<Vec<LogLine>> {
        let query = LogQuery {
            log: log.into(),
            sources: vec![source],
            search: String::new(),
            only_matches: false,
            offset: None,
            limit: 1_000,
        };
        Ok(self.logs.page(&query).map_err(failed)?.lines)
    }

    /// Waits for a line that contains `text`.
    pub(crate) async fn line(&self, log: &str, source: LogSource, text: &str) -> Result<LogLine> {
        eventually(&format!("a line with {text:?}"), || async {
            let lines = self.lines(log, source)?;
            let found = lines.iter().find(|line| line.text.contains(text)).cloned();
            if found.is_none() {
                let last: Vec<&str> =
                    lines.iter().rev().take(5).map(|line| line.text.as_str()).collect();
                bail!("the last lines: {last:#?}");
            }
            Ok(found)
        })
        .await
    }
}

/// How the local program is started.
pub(crate) enum Program<'a> {
    ByUser,
    /// `PORT` stands for the local port.
    Words(&'a [&'a str]),
}

pub(crate) fn failed(report: Report) -> anyhow::Error {
    anyhow::anyhow!("{report:#?}")
}

/// A kubeconfig for somebody who may look at the namespace and change nothing.
pub(crate) async fn onlooker(ns: &Namespace) -> Result<PathBuf> {
    ns.kubectl(&["create", "serviceaccount", "onlooker"]).await?;
    let account = format!("--serviceaccount={}:onlooker", ns.name);
    ns.kubectl(&["create", "rolebinding", "onlooker", "--clusterrole=view", &account]).await?;
    let request = serde_json::from_value(json!({"spec": {"expirationSeconds": 3600}}))?;
    let accounts = ns.api::<ServiceAccount>();
    let granted =
        accounts.create_token_request("onlooker", &PostParams::default(), &request).await?;
    let token = json!({"token": granted.status.context("a token")?.token});
    ns.kubeconfig_with("onlooker", |config| config["users"][0]["user"] = token).await
}

/// Makes a directory in which `towline` is the command line under test.
pub(crate) fn directory_with_towline(directory: &Path) -> Result<()> {
    let command_line = towline_cluster_tests::setting("TOWLINE_TEST_CLI")?;
    std::fs::create_dir(directory)?;
    std::os::unix::fs::symlink(command_line, directory.join("towline"))?;
    Ok(())
}
