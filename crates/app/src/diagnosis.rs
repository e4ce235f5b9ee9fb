//! What is wrong with this machine or a cluster, each with one fix; the report for an issue; the log files.

mod checks;
mod cluster_checks;
mod log_files;
mod redact;
mod report;

use std::fmt;
use std::sync::Arc;

pub use self::log_files::{LogHandle, init_logging};
use crate::directories::Directories;
use crate::explorer::{Contexts, Explorer};
use crate::leftovers::Leftovers;
use crate::machine;
use crate::shell_path::SearchPath;
use crate::view::{App, DiagnosticAction, DiagnosticCheck, SessionEvent, Tone, Variable};

/// Looks at this machine and at the clusters that are connected. Cheap to clone.
#[derive(Clone)]
pub struct Diagnosis {
    parts: Arc<Parts>,
}

struct Parts {
    directories: Directories,
    contexts: Contexts,
    explorer: Explorer,
    search_path: SearchPath,
    leftovers: Leftovers,
}

impl Diagnosis {
    /// One that looks at these.
    pub fn new(
        directories: Directories,
        contexts: Contexts,
        explorer: Explorer,
        search_path: SearchPath,
        leftovers: Leftovers,
    ) -> Self {
        let parts = Parts { directories, contexts, explorer, search_path, leftovers };
        Self { parts: Arc::new(parts) }
    }

    /// Every check: this machine's first, then each connected cluster's. Contacts only clusters that are connected.
    /// `profiles`: what is wrong with the file of the profiles.
    pub async fn checks(&self, app: &App, profiles: Option<&str>) -> Vec<DiagnosticCheck> {
        let parts = &self.parts;
        let path = parts.search_path.get().await;
        let mut all = checks::kubeconfig(&parts.contexts.current());
        all.push(checks::plugins(&parts.contexts.current(), path.as_deref()));
        all.push(checks::login_shell(parts.search_path.answer()));
        all.push(checks::settings(&app.preferences));
        all.extend(profiles.map(checks::profiles));
        all.push(checks::writable("logs", "Log files", &parts.directories.logs));
        all.push(checks::writable("state", "Journal", &parts.directories.state));
        all.push(checks::free_port());
        all.push(machine::hosts_check(here));
        all.push(machine::helper_check(here, &app.helper));
        all.push(checks::leftovers(&parts.leftovers.all()));
        all.extend(cluster_checks::not_connected(app));
        let opened = parts.explorer.opened();
        let of_clusters = opened
            .iter()
            .map(|(cluster, namespaces)| cluster_checks::all(cluster, namespaces, app));
        all.extend(futures::future::join_all(of_clusters).await.into_iter().flatten());
        all
    }

    /// What can be copied into an issue: nothing in it is secret, and nothing names a server.
    pub fn report(
        &self,
        app: &App,
        checks: &[DiagnosticCheck],
        events: &dyn Fn(&str) -> Option<Vec<SessionEvent>>,
        variables: &dyn Fn(&str) -> Option<Vec<Variable>>,
    ) -> String {
        let log = log_files::last_lines(&self.parts.directories.logs, report::LOG_LINES);
        report::text(app, checks, events, variables, &log)
    }
}

impl fmt::Debug for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Diagnosis").finish_non_exhaustive()
    }
}

/// A check of this machine.
fn here(id: &str, title: &str, tone: Tone, message: impl Into<String>) -> DiagnosticCheck {
    check(id, "This machine", title, tone, message)
}

fn check(
    id: &str,
    group: &str,
    title: &str,
    tone: Tone,
    message: impl Into<String>,
) -> DiagnosticCheck {
    DiagnosticCheck {
        id: id.to_owned(),
        group: group.to_owned(),
        title: title.to_owned(),
        tone,
        message: message.into(),
        fix: None,
        action: None,
    }
}

trait WithFix {
    fn fix(self, fix: impl Into<String>) -> Self;
    fn action(self, action: DiagnosticAction) -> Self;
}

impl WithFix for DiagnosticCheck {
    fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    fn action(mut self, action: DiagnosticAction) -> Self {
        self.action = Some(action);
        self
    }
}
