//! Logs: the last lines of programs and pods, kept here and shown page by page.

mod filter;
mod follow;
mod lines;
mod log;
mod ring;
mod selection;
mod stream;
mod text;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;
use towline_core::cluster::Cluster;
use towline_core::plan::Plan;
use towline_core::report::Code;
use towline_core::settings::write_private;

use self::follow::Follow;
pub(crate) use self::lines::Lines;
use self::log::Log;
pub(crate) use self::log::LogWriter;
use crate::clusters::Clusters;
use crate::publish::Publish;
use crate::report::failure;
use crate::view::{Change, LogPage, LogQuery, LogSource, PodLogQuery, Report};

/// New lines are told at most this often.
const PAUSE: Duration = Duration::from_millis(50);

/// All logs. Cheap to clone.
#[derive(Clone)]
pub struct Logs {
    shared: Arc<Shared>,
}

struct Shared {
    publish: Arc<dyn Publish>,
    clusters: Arc<dyn Clusters>,
    open: Mutex<Open>,
    /// Some log has lines that nobody was told of.
    news: Arc<Notify>,
}

#[derive(Default)]
struct Open {
    logs: BTreeMap<String, Arc<Log>>,
    /// What fills the logs of pods; dropped with them.
    tasks: BTreeMap<String, AbortOnDropHandle<()>>,
    pod_logs: u64,
}

impl Logs {
    /// No logs yet. Needs to be called within a tokio runtime.
    pub fn new(publish: Arc<dyn Publish>, clusters: Arc<dyn Clusters>) -> Self {
        let news = Arc::new(Notify::new());
        let shared = Shared { publish, clusters, open: Mutex::default(), news: news.clone() };
        let shared = Arc::new(shared);
        tokio::spawn(tell(Arc::downgrade(&shared), news));
        Self { shared }
    }

    /// A page of a log.
    ///
    /// # Errors
    ///
    /// When there is no such log.
    pub fn page(&self, query: &LogQuery) -> Result<LogPage, Report> {
        Ok(self.log(&query.log)?.page(query))
    }

    /// Begins to follow the logs of pods; gives the log's id.
    ///
    /// # Errors
    ///
    /// When the cluster cannot be had, or there is no such target.
    pub async fn open_pod_log(&self, query: PodLogQuery) -> Result<String, Report> {
        let cluster = self.shared.clusters.cluster(&query.context).await?;
        let pods = selection::find(&cluster, &query.namespace, &query.target).await?;
        let follow = Follow::all(&cluster, pods, query.container);
        let id = {
            let mut open = self.lock();
            open.pod_logs += 1;
            format!("pods-{}", open.pod_logs)
        };
        let writer = self.create(&id);
        let task = tokio::spawn(follow.run(writer));
        self.lock().tasks.insert(id.clone(), AbortOnDropHandle::new(task));
        Ok(id)
    }

    /// Ends a log that [`Self::open_pod_log`] began; one that is not there has ended already.
    pub fn close_pod_log(&self, log: &str) {
        let mut open = self.lock();
        if open.tasks.remove(log).is_some() {
            open.logs.remove(log);
        }
    }

    /// Writes the lines that the query shows to `path`, each with its time and source, for this user only.
    ///
    /// # Errors
    ///
    /// When there is no such log, or the file cannot be written.
    pub fn export(&self, query: &LogQuery, path: &Path) -> Result<(), Report> {
        let log = self.log(&query.log)?;
        let mut text = String::new();
        log.each_shown(query, |line| {
            let time = jiff::Timestamp::from_millisecond(line.time).unwrap_or_default();
            let source = match line.source {
                LogSource::ProgramOut => "out",
                LogSource::ProgramErr => "err",
                LogSource::Agent => "agent",
                LogSource::Pod => "pod",
                LogSource::Towline => "towline",
            };
            let space = if line.origin.is_empty() { "" } else { " " };
            // Writing to a string does not fail.
            let _ = writeln!(text, "{time:.3} [{source}{space}{}] {}", line.origin, line.text);
        });
        write_private(path, text.as_bytes()).map_err(|error| {
            let message = format!("The log cannot be written to {}: {error}.", path.display());
            failure(Code::Input, message, Some("Choose another place."))
        })
    }

    /// Makes an empty log of that id.
    pub(crate) fn create(&self, id: &str) -> LogWriter {
        let log = Arc::new(Log::new(self.shared.news.clone()));
        self.lock().logs.insert(id.to_owned(), log.clone());
        LogWriter::new(log)
    }

    /// Follows the pods of the plan's workload into the session's log, from now on, until the handle is dropped.
    pub(crate) fn follow_session(
        &self,
        cluster: &Cluster,
        plan: &Plan,
        log: LogWriter,
    ) -> Option<AbortOnDropHandle<()>> {
        let pods = selection::of_workload(&plan.workload, &plan.base)?;
        let follow = Follow::session(cluster, pods, &plan.container);
        Some(AbortOnDropHandle::new(tokio::spawn(follow.run(log))))
    }

    /// Forgets a log.
    pub(crate) fn remove(&self, id: &str) {
        self.lock().logs.remove(id);
    }

    fn log(&self, id: &str) -> Result<Arc<Log>, Report> {
        self.lock()
            .logs
            .get(id)
            .cloned()
            .ok_or_else(|| failure(Code::Input, "This log is closed.", Some("Open it again.")))
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.shared.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells of new lines, as long as there are logs.
async fn tell(shared: Weak<Shared>, news: Arc<Notify>) {
    loop {
        news.notified().await;
        {
            let Some(shared) = shared.upgrade() else { return };
            let open = shared.open.lock().unwrap_or_else(PoisonError::into_inner);
            let changed: Vec<(String, u64)> =
                open.logs.iter().filter_map(|(id, log)| Some((id.clone(), log.news()?))).collect();
            drop(open);
            for (log, next) in changed {
                shared.publish.put(Change::Log { log, next });
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // So that the task notices.
        self.news.notify_one();
    }
}

#[cfg(test)]
mod tests;
