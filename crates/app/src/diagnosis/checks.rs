//! Checks of this machine.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::Path;

use towline_core::cluster::find_program;
use towline_core::logs;

use super::{WithFix, here};
use crate::shell_path::Answer;
use crate::view::{Contexts, DiagnosticAction, DiagnosticCheck, Leftover, Preferences, Tone};

pub(super) fn kubeconfig(contexts: &Contexts) -> Vec<DiagnosticCheck> {
    let title = "Kubeconfig";
    if let Some(error) = &contexts.error {
        let check = here("kubeconfig", title, Tone::Bad, &error.message);
        let fix = error.hint.clone().unwrap_or_else(|| "Name the files in the settings.".into());
        return vec![check.fix(fix).action(DiagnosticAction::OpenSettings)];
    }
    let broken = contexts.broken.iter().map(|broken| {
        let message = format!("{} cannot be used: {}.", broken.file, broken.reason);
        here(&format!("kubeconfig:{}", broken.file), title, Tone::Bad, message)
            .fix("Correct the file, or take it out of the list in the settings.")
            .action(DiagnosticAction::OpenSettings)
    });
    let mut checks: Vec<DiagnosticCheck> = broken.collect();
    let (count, files) = (contexts.contexts.len(), contexts.files.join(", "));
    let plural = if count == 1 { "" } else { "s" };
    checks.push(match count {
        0 => here("kubeconfig", title, Tone::Warning, format!("No context in {files}."))
            .fix("Name another file in the settings.")
            .action(DiagnosticAction::OpenSettings),
        _ => here("kubeconfig", title, Tone::Good, format!("{count} context{plural} in {files}.")),
    });
    checks
}

/// The exec plugins that the contexts name are looked for, not run.
pub(super) fn plugins(contexts: &Contexts, path: Option<&OsStr>) -> DiagnosticCheck {
    let named: BTreeSet<&str> =
        contexts.contexts.iter().filter_map(|context| context.plugin.as_deref()).collect();
    let missing: Vec<&str> =
        named.iter().filter(|plugin| find_program(plugin, path).is_none()).copied().collect();
    let title = "Exec plugins";
    match (named.len(), missing.as_slice()) {
        (0, _) => here("plugins", title, Tone::Neutral, "No context needs one."),
        (_, []) => {
            let all: Vec<&str> = named.into_iter().collect();
            here("plugins", title, Tone::Good, format!("Found: {}.", all.join(", ")))
        }
        (_, missing) => {
            let list = missing.join(", ");
            here("plugins", title, Tone::Bad, format!("Not found on PATH: {list}."))
                .fix("Install it, or add its directory to PATH in your shell's start-up file and start Towline again.")
        }
    }
}

pub(super) fn login_shell(answer: Option<Answer>) -> DiagnosticCheck {
    let title = "Login shell's PATH";
    match answer {
        Some(Answer::Path(_)) => here("login-shell", title, Tone::Good, "Taken over."),
        Some(Answer::NotAsked(why)) => {
            here("login-shell", title, Tone::Neutral, format!("Not asked: {why}."))
        }
        None => here("login-shell", title, Tone::Neutral, "Being asked."),
        Some(Answer::Silent(why)) => {
            here("login-shell", title, Tone::Warning, format!("Not known: {why}."))
                .fix("See what your shell's start-up files do without a terminal; or start Towline from a terminal.")
        }
    }
}

pub(super) fn settings(preferences: &Preferences) -> DiagnosticCheck {
    match &preferences.problem {
        None => here("settings", "Settings", Tone::Good, format!("{} is fine.", preferences.file)),
        Some(problem) => here("settings", "Settings", Tone::Bad, problem)
            .fix("Save the settings anew.")
            .action(DiagnosticAction::OpenSettings),
    }
}

pub(super) fn profiles(problem: &str) -> DiagnosticCheck {
    here("profiles", "Profiles", Tone::Bad, problem)
        .fix("Correct the file, or remove it: it is left as it is until then.")
}

/// Whether files can be made in a directory; the nearest one above it, where it does not exist yet.
pub(super) fn writable(id: &str, title: &str, directory: &Path) -> DiagnosticCheck {
    let shown = directory.display();
    let Some(existing) = directory.ancestors().find(|path| path.is_dir()) else {
        return here(id, title, Tone::Bad, format!("{shown} does not exist."))
            .fix("Make it, writable for yourself.");
    };
    match logs::try_writing(existing) {
        Ok(()) => here(id, title, Tone::Good, format!("{shown} can be written.")),
        Err(error) => here(id, title, Tone::Bad, format!("{shown} cannot be written: {error}."))
            .fix("Make it writable for yourself, or make room on its disk."),
    }
}

pub(super) fn free_port() -> DiagnosticCheck {
    let title = "Local ports";
    match TcpListener::bind(("127.0.0.1", 0)) {
        Ok(_) => here("ports", title, Tone::Good, "Ports of 127.0.0.1 can be listened on."),
        Err(error) => {
            let message = format!("No port of 127.0.0.1 can be listened on: {error}.");
            here("ports", title, Tone::Bad, message)
                .fix("Look at the limits on open files and ports, and at security software.")
        }
    }
}

pub(super) fn leftovers(leftovers: &[Leftover]) -> DiagnosticCheck {
    let title = "Leftovers";
    let Some(first) = leftovers.first() else {
        return here("leftovers", title, Tone::Good, "No session was left behind.");
    };
    let list: Vec<String> = leftovers
        .iter()
        .map(|left| format!("{} in {} ({})", left.workload, left.namespace, left.context))
        .collect();
    let message = format!("Left behind by sessions that were cut off: {}.", list.join(", "));
    here("leftovers", title, Tone::Warning, message)
        .fix("Repair puts the workload back.")
        .action(DiagnosticAction::Repair { leftover: first.id.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_that_is_missing_is_named() {
        let context = |plugin: Option<&str>| crate::view::Context {
            name: "a".into(),
            cluster: "a".into(),
            user: None,
            namespace: None,
            server: None,
            current: false,
            file: String::new(),
            plugin: plugin.map(str::to_owned),
        };
        let contexts = |plugins: &[Option<&str>]| Contexts {
            contexts: plugins.iter().map(|plugin| context(*plugin)).collect(),
            ..Contexts::default()
        };
        let path = Some(OsStr::new("/usr/bin:/bin"));
        assert_eq!(plugins(&contexts(&[None]), path).tone, Tone::Neutral);
        assert_eq!(plugins(&contexts(&[Some("sh")]), path).tone, Tone::Good);
        let missing = plugins(&contexts(&[Some("sh"), Some("no-such-plugin")]), path);
        assert_eq!(missing.tone, Tone::Bad);
        assert!(missing.message.contains("no-such-plugin") && missing.fix.is_some());
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_that_does_not_exist_yet_counts_as_the_one_above() {
        let home = tempfile::tempdir().expect("a directory");
        assert_eq!(writable("logs", "Logs", &home.path().join("a/b")).tone, Tone::Good);
        assert_eq!(writable("logs", "Logs", Path::new("/proc/a")).tone, Tone::Bad);
    }
}
