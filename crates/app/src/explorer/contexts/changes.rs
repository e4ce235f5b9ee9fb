//! Tells when one of some files changes, appears or goes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

/// How often files are looked at that the system does not watch for us: it has run out of watches, or does not watch that file system.
const NOW_AND_THEN: Duration = Duration::from_secs(5);

/// A watch on files. Ends when dropped.
///
/// What is watched are directories: an editor replaces a file, and a watch on the file would go on with the old one. Where a directory does
/// not exist yet, the nearest one above it is watched; where a file is a link, the file that it leads to as well.
pub(super) struct Changes {
    files: Vec<PathBuf>,
    /// The files, and what they lead to.
    places: Arc<Mutex<Vec<PathBuf>>>,
    watched: Mutex<Watched>,
}

struct Watched {
    watcher: Option<RecommendedWatcher>,
    directories: BTreeSet<PathBuf>,
    complete: bool,
}

impl Changes {
    /// Begins to watch; `changed` is told.
    pub(super) fn watch(files: Vec<PathBuf>, changed: Arc<Notify>) -> Self {
        let files: Vec<PathBuf> =
            files.iter().filter_map(|file| std::path::absolute(file).ok()).collect();
        let places = Arc::new(Mutex::new(Vec::new()));
        let tell = {
            let places = places.clone();
            move |event: notify::Result<Event>| {
                if concerns(&event, &places.lock().unwrap_or_else(PoisonError::into_inner)) {
                    changed.notify_one();
                }
            }
        };
        let watcher = notify::recommended_watcher(tell)
            .inspect_err(|error| tracing::warn!(%error, "kubeconfig files cannot be watched"))
            .ok();
        let watched = Watched { watcher, directories: BTreeSet::new(), complete: false };
        let this = Self { files, places, watched: Mutex::new(watched) };
        this.renew();
        this
    }

    /// Looks anew which directories are there to be watched.
    pub(super) fn renew(&self) {
        let links = self.files.iter().filter_map(|file| file.canonicalize().ok());
        let places: Vec<PathBuf> = self.files.iter().cloned().chain(links).collect();
        let wanted: BTreeSet<PathBuf> = places.iter().filter_map(|file| nearest(file)).collect();
        *self.places.lock().unwrap_or_else(PoisonError::into_inner) = places;
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let Watched { watcher: Some(watcher), directories, complete } = &mut *watched else {
            return;
        };
        for gone in directories.difference(&wanted) {
            // One that was removed is not watched any more already.
            let _ = watcher.unwatch(gone);
        }
        directories.retain(|directory| wanted.contains(directory));
        *complete = true;
        for directory in wanted {
            // A directory that was removed and made again is another one, so each is asked for each time; that costs next to nothing.
            match watcher.watch(&directory, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    directories.insert(directory);
                }
                Err(error) => {
                    *complete = false;
                    tracing::warn!(directory = %directory.display(), %error, "cannot be watched");
                }
            }
        }
    }

    /// Resolves after a while, where the system does not tell of changes; never, where it does.
    pub(super) async fn look_now_and_then(&self) {
        let complete = {
            let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
            watched.watcher.is_some() && watched.complete
        };
        if complete {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(NOW_AND_THEN).await;
    }
}

/// Whether something happened to one of the files, or to a directory above one. Reading is an event too, and our own would go round in
/// circles. What the system could not tell exactly may be anything.
fn concerns(event: &notify::Result<Event>, places: &[PathBuf]) -> bool {
    match event {
        Ok(Event { kind: EventKind::Access(_), .. }) => false,
        Ok(event) if event.need_rescan() || event.paths.is_empty() => true,
        Ok(event) => {
            event.paths.iter().any(|path| places.iter().any(|place| place.starts_with(path)))
        }
        Err(_) => true,
    }
}

/// The nearest directory above `file` that exists.
fn nearest(file: &Path) -> Option<PathBuf> {
    file.ancestors().skip(1).find(|path| path.is_dir()).map(Path::to_owned)
}
