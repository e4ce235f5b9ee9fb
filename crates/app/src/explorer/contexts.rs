//! The contexts of the kubeconfig files, followed as the files change.

mod changes;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use towline_core::cluster::Kubeconfig;
use towline_core::report::{Code, Explain};

use self::changes::Changes;
use crate::outbox::Outbox;
use crate::report::failure;
use crate::view::{self, Change, Context, Preferences, Report};

/// How long after a change the files are read: an editor writes in several steps.
const SETTLE: Duration = Duration::from_millis(100);

/// The contexts. Cheap to clone.
#[derive(Clone)]
pub struct Contexts {
    shared: Arc<Shared>,
    _stop: Arc<DropGuard>,
}

struct Shared {
    state: Mutex<State>,
}

struct State {
    /// The files of the settings; empty: the default ones.
    listed: Vec<PathBuf>,
    contexts: view::Contexts,
}

impl Contexts {
    /// Reads the files, and reads them again when one of them changes, appears or goes, or when the settings name others. Contacts no cluster.
    ///
    /// Needs to be called within a tokio runtime.
    pub fn watch(outbox: Outbox, settings: watch::Receiver<Preferences>) -> Self {
        let listed = listed(&settings.borrow());
        let state = State { contexts: read(&listed), listed };
        let shared = Arc::new(Shared { state: Mutex::new(state) });
        let stop = CancellationToken::new();
        tokio::spawn({
            let (shared, stop) = (shared.clone(), stop.clone());
            async move {
                stop.run_until_cancelled(follow(shared, outbox, settings)).await;
            }
        });
        Self { shared, _stop: Arc::new(stop.drop_guard()) }
    }

    /// All of them.
    pub fn current(&self) -> view::Contexts {
        self.with(|state| state.contexts.clone())
    }

    /// The one of that name.
    pub fn find(&self, name: &str) -> Option<Context> {
        self.with(|state| {
            state.contexts.contexts.iter().find(|context| context.name == name).cloned()
        })
    }

    /// That there is no context of that name.
    pub(crate) fn unknown(&self, name: &str) -> Report {
        let known: Vec<String> =
            self.current().contexts.into_iter().map(|context| context.name).collect();
        let hint = match known.is_empty() {
            true => "No kubeconfig file has a context; look at the settings.".to_owned(),
            false => format!("Known contexts: {}.", known.join(", ")),
        };
        failure(Code::ContextUnknown, format!("No kubeconfig has a context '{name}'."), Some(&hint))
    }

    /// The files that the settings name; empty: the default ones are read.
    pub(crate) fn listed_files(&self) -> Vec<PathBuf> {
        self.with(|state| state.listed.clone())
    }

    fn with<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.shared.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Contexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contexts").field("files", &self.current().files).finish_non_exhaustive()
    }
}

async fn follow(shared: Arc<Shared>, outbox: Outbox, mut settings: watch::Receiver<Preferences>) {
    let changed = Arc::new(Notify::new());
    loop {
        let listed = listed(&settings.borrow_and_update());
        // Held as long as these files are the ones. Begun before reading, so that no change falls in between.
        let watching = Changes::watch(files(&listed), changed.clone());
        loop {
            let contexts = read(&listed);
            let news = {
                let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
                let news = state.contexts != contexts;
                *state = State { listed: listed.clone(), contexts: contexts.clone() };
                news
            };
            if news {
                outbox.put(Change::Contexts { contexts });
            }
            tokio::select! {
                () = changed.notified() => tokio::time::sleep(SETTLE).await,
                () = watching.look_now_and_then() => {}
                others = settings.changed() => match others {
                    Ok(()) if self::listed(&settings.borrow()) == listed => {}
                    Ok(()) => break,
                    // The application ends.
                    Err(_) => return,
                },
            }
            watching.renew();
        }
    }
}

fn listed(settings: &Preferences) -> Vec<PathBuf> {
    settings.kubeconfig_files.iter().map(PathBuf::from).collect()
}

fn files(listed: &[PathBuf]) -> Vec<PathBuf> {
    if listed.is_empty() { Kubeconfig::default_files() } else { listed.to_vec() }
}

fn read(listed: &[PathBuf]) -> view::Contexts {
    let files = files(listed);
    let shown = files.iter().map(|file| file.display().to_string()).collect();
    match Kubeconfig::read(&files) {
        Ok(kubeconfig) => view::Contexts {
            contexts: kubeconfig.contexts().into_iter().map(context).collect(),
            broken: kubeconfig.broken().iter().map(broken).collect(),
            error: None,
            files: shown,
        },
        Err(error) => view::Contexts {
            error: Some(error.explain().into()),
            files: shown,
            ..view::Contexts::default()
        },
    }
}

fn context(entry: towline_core::cluster::ContextEntry) -> Context {
    Context {
        name: entry.name,
        cluster: entry.cluster,
        user: entry.user,
        namespace: entry.namespace,
        server: entry.server,
        current: entry.current,
        file: entry.file.display().to_string(),
        plugin: entry.plugin,
    }
}

fn broken(file: &towline_core::cluster::BrokenFile) -> view::BrokenFile {
    view::BrokenFile { file: file.file.display().to_string(), reason: file.reason.clone() }
}

#[cfg(test)]
mod tests;
