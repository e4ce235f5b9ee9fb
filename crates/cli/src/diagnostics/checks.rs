//! The checks.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;
use towline_core::cluster::{Kubeconfig, find_program};
use towline_core::journal::Journal;
use towline_core::logs::{self, LogFiles};
use towline_core::settings::Settings;
use towline_helper::client::{Helper, program};
use towline_machine::hosts_file::HostsFile;

use super::explained;
use crate::LOG_FILE;
use crate::arguments::ClusterArguments;

/// How long the API server may take.
const LIMIT: Duration = Duration::from_secs(10);

/// A slower answer makes each new connection through a session feel slow.
const SLOW: Duration = Duration::from_millis(300);

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    pub(super) title: String,
    pub(super) tone: Tone,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tone {
    Good,
    Neutral,
    Warning,
    Bad,
}

impl Check {
    fn new(title: &str, tone: Tone, message: impl Into<String>, fix: Option<String>) -> Self {
        Self { title: title.to_owned(), tone, message: message.into(), fix }
    }

    pub(super) fn good(title: &str, message: impl Into<String>) -> Self {
        Self::new(title, Tone::Good, message, None)
    }

    fn neutral(title: &str, message: impl Into<String>) -> Self {
        Self::new(title, Tone::Neutral, message, None)
    }

    pub(super) fn warning(title: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(title, Tone::Warning, message, Some(fix.into()))
    }

    pub(super) fn bad(title: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(title, Tone::Bad, message, Some(fix.into()))
    }
}

/// Everything that needs no cluster and no helper.
pub(super) fn of_machine(kubeconfig: Option<&Path>) -> Vec<Check> {
    let mut checks = self::kubeconfig(kubeconfig);
    checks.push(settings());
    checks.push(logs_directory());
    checks.push(journal());
    checks.push(match TcpListener::bind(("127.0.0.1", 0)) {
        Ok(_) => Check::good("local ports", "Ports of 127.0.0.1 can be listened on."),
        Err(error) => Check::bad(
            "local ports",
            format!("No port of 127.0.0.1 can be listened on: {error}."),
            "Look at the limits on open files and ports, and at security software.",
        ),
    });
    checks.push(hosts_file());
    checks
}

fn kubeconfig(file: Option<&Path>) -> Vec<Check> {
    const TITLE: &str = "kubeconfig";
    let kubeconfig = match Kubeconfig::load(file) {
        Ok(kubeconfig) => kubeconfig,
        Err(error) => return vec![explained(TITLE, &error)],
    };
    let broken = kubeconfig.broken().iter().map(|broken| {
        let message = format!("{} cannot be used: {}.", broken.file.display(), broken.reason);
        Check::bad(TITLE, message, "Correct the file, or take it out of KUBECONFIG.")
    });
    let mut checks: Vec<Check> = broken.collect();
    let contexts = kubeconfig.contexts();
    checks.push(match contexts.len() {
        0 => Check::warning(
            TITLE,
            "It has no context.",
            "Name another file with --kubeconfig or KUBECONFIG.",
        ),
        1 => Check::good(TITLE, "It has one context."),
        count => Check::good(TITLE, format!("It has {count} contexts.")),
    });
    let path = std::env::var_os("PATH");
    let missing = |plugin: &&str| find_program(plugin, path.as_deref()).is_none();
    let mut missing: Vec<&str> =
        contexts.iter().filter_map(|context| context.plugin.as_deref()).filter(missing).collect();
    missing.sort_unstable();
    missing.dedup();
    if !missing.is_empty() {
        let message = format!("Not found on PATH: {}.", missing.join(", "));
        checks.push(Check::warning(
            "exec plugins",
            message,
            "Install it, or add its directory to PATH.",
        ));
    }
    checks
}

fn settings() -> Check {
    match Settings::load() {
        Ok(_) => Check::good(
            "settings",
            match Settings::path().filter(|path| path.exists()) {
                Some(path) => format!("{} is fine.", path.display()),
                None => "There is no file of them; the defaults hold.".to_owned(),
            },
        ),
        Err(error) => explained("settings", &error),
    }
}

fn logs_directory() -> Check {
    let directory = logs::directory();
    match LogFiles::open(&directory, LOG_FILE) {
        Ok(_) => Check::good("log files", format!("They are in {}.", directory.display())),
        Err(error) => Check::warning(
            "log files",
            format!("{} cannot be written: {error}.", directory.display()),
            "Make it yours and writable, or remove it.",
        ),
    }
}

fn journal() -> Check {
    const TITLE: &str = "leftovers";
    match Journal::of_user().abandoned() {
        Err(error) => Check::bad(
            TITLE,
            format!("{error}."),
            "Make the directory readable and writable for yourself.",
        ),
        Ok(left) if left.is_empty() => Check::good(TITLE, "No session was left behind."),
        Ok(left) => {
            let list: Vec<String> = left
                .iter()
                .map(|entry| format!("{} in context {}", entry.workload, entry.context))
                .collect();
            Check::warning(
                TITLE,
                format!("Sessions that were cut off: {}.", list.join(", ")),
                "`towline restore` puts the workloads back, if the cluster has not done so.",
            )
        }
    }
}

fn hosts_file() -> Check {
    const TITLE: &str = "hosts file";
    let file = match HostsFile::look() {
        Ok(file) => file,
        Err(error) => {
            return Check::bad(
                TITLE,
                format!("{error}."),
                "Mend the file, or do without names: --no-admin.",
            );
        }
    };
    let stale: usize = file.stale().count();
    match (file.blocks.len(), stale) {
        (0, _) => Check::good(TITLE, "It has no lines of Towline's."),
        (all, 0) => Check::good(TITLE, format!("It has the lines of {all} running sessions.")),
        (_, stale) => Check::warning(
            TITLE,
            format!("It has the lines of {stale} sessions that do not run any more."),
            "The next session that uses names removes them.",
        ),
    }
}

/// The process with the administrator's rights: asked for nothing.
pub(super) async fn helper() -> Vec<Check> {
    const TITLE: &str = "helper";
    let check = match Helper::connect().await {
        Ok(Some(_)) => Check::good(TITLE, "It runs and answers."),
        Ok(None) => match program() {
            Ok(path) => Check::neutral(
                TITLE,
                format!(
                    "It does not run; it is started when it is needed, from {}.",
                    path.display()
                ),
            ),
            Err(error) => Check::warning(
                TITLE,
                format!("{error}."),
                "Install it beside towline, or do without names: --no-admin.",
            ),
        },
        Err(error) => explained(TITLE, &error),
    };
    vec![check]
}

/// The cluster of the context that commands use.
pub(super) async fn of_cluster(arguments: &ClusterArguments) -> Vec<Check> {
    let cluster = match tokio::time::timeout(LIMIT, crate::list::cluster(arguments)).await {
        Ok(Ok(cluster)) => cluster,
        Ok(Err(failure)) => {
            let mut check = Check::bad("cluster", failure.report.message, "");
            check.fix = failure.report.hint;
            return vec![check];
        }
        Err(_) => {
            let message = format!("It does not answer within {} s.", LIMIT.as_secs());
            return vec![Check::bad(
                "cluster",
                message,
                "Look at the network between this machine and the cluster: VPN, proxy, firewall.",
            )];
        }
    };
    let begun = Instant::now();
    let answer = tokio::time::timeout(LIMIT, cluster.client().apiserver_version()).await;
    let took = begun.elapsed();
    let context = cluster.context();
    let check = match answer {
        Err(_) => Check::bad(
            "cluster",
            format!("{context} does not answer within {} s.", LIMIT.as_secs()),
            "Look at the network between this machine and the cluster: VPN, proxy, firewall.",
        ),
        // Opening it has read the version already; what an API server says to a second question does not matter here.
        Ok(_) if took < SLOW => Check::good(
            "cluster",
            format!("{context} ({}) answers in {} ms.", cluster.version().text, took.as_millis()),
        ),
        Ok(_) => Check::warning(
            "cluster",
            format!(
                "{context} ({}) takes {} ms to answer.",
                cluster.version().text,
                took.as_millis()
            ),
            "Look at the network between this machine and the cluster: VPN, proxy, Wi-Fi.",
        ),
    };
    vec![check]
}
