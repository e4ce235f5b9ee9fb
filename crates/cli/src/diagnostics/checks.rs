//! The checks.

use std::net::TcpListener;
use std::path::Path;
use towline_core::cluster::{Kubeconfig, find_program};
use towline_core::journal::Journal;
use towline_core::logs::{self, LogFiles};
use towline_core::settings::Settings;
use towline_helper::client::{Helper, program};
use towline_machine::hosts_file::HostsFile;

use super::check::{Check, explained};
use crate::LOG_FILE;

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
    let tried = LogFiles::open(&directory, LOG_FILE).and_then(|_| logs::try_writing(&directory));
    match tried {
        Ok(()) => Check::good("log files", format!("They are in {}.", directory.display())),
        Err(error) => Check::warning(
            "log files",
            format!("{} cannot be written: {error}.", directory.display()),
            "Make it yours and writable, remove it, or make room on its disk.",
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
