//! Follows the logs of pods, also of those that come later.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::Api;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{Event, watcher};
use kube::{Client, ResourceExt};
use tokio::sync::watch;
use tokio::task::JoinSet;
use towline_core::cluster::Cluster;
use towline_workload::names::SESSION_LABEL;

use super::log::LogWriter;
use super::selection::Pods;
use super::stream::{Origin, Start, Streamed, stream};
use crate::view::LogSource;

/// How many containers are followed at once: each takes a connection of the API server's.
const MOST: usize = 60;

/// How many lines of the past are shown first.
const PAST: i64 = 1_000;

/// What to follow.
pub(super) struct Follow {
    client: Client,
    pods: Pods,
    /// Only this container.
    container: Option<String>,
    /// In pods of a session, the container that the agent stands in for.
    agent: Option<String>,
    start: Start,
}

/// A pod as last seen; `None`: it is gone.
pub(super) type Seen = watch::Receiver<Option<Arc<Pod>>>;

impl Follow {
    /// The logs of these pods, with some of the past.
    pub(super) fn all(cluster: &Cluster, pods: Pods, container: Option<String>) -> Self {
        let client = cluster.client();
        Self { client, pods, container, agent: None, start: Start::Past(PAST) }
    }

    /// The logs of a session's pods from now on.
    pub(super) fn session(cluster: &Cluster, pods: Pods, container: &str) -> Self {
        let (client, agent) = (cluster.client(), Some(container.to_owned()));
        Self { client, pods, container: None, agent, start: Start::From(Timestamp::now()) }
    }

    /// Follows until it is dropped.
    pub(super) async fn run(self, log: LogWriter) {
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &self.pods.namespace);
        let events = watcher(api.clone(), self.pods.config.clone()).default_backoff();
        let mut events = std::pin::pin!(events);
        let mut following = Following {
            follow: &self,
            api,
            log,
            pods: BTreeMap::new(),
            listed: BTreeMap::new(),
            streams: JoinSet::new(),
            refused: Arc::default(),
            told: String::new(),
            full: false,
        };
        loop {
            tokio::select! {
                Some(event) = events.next() => following.take(event),
                Some(_) = following.streams.join_next() => {}
                else => return,
            }
        }
    }
}

struct Following<'a> {
    follow: &'a Follow,
    api: Api<Pod>,
    log: LogWriter,
    /// By uid.
    pods: BTreeMap<String, Followed>,
    /// What a list that is under way has shown so far.
    listed: BTreeMap<String, Pod>,
    streams: JoinSet<()>,
    /// Whether the missing right was told.
    refused: Arc<AtomicBool>,
    /// The last trouble with the watch that was told.
    told: String,
    full: bool,
}

struct Followed {
    seen: watch::Sender<Option<Arc<Pod>>>,
    containers: Vec<String>,
}

impl Following<'_> {
    fn take(&mut self, event: Result<Event<Pod>, kube::runtime::watcher::Error>) {
        match event {
            Ok(Event::Init) => self.listed.clear(),
            Ok(Event::InitApply(pod)) => drop(self.listed.insert(uid(&pod), pod)),
            Ok(Event::InitDone) => {
                let listed = std::mem::take(&mut self.listed);
                self.pods
                    .retain(|uid, pod| listed.contains_key(uid) || pod.seen.send(None).is_err());
                listed.into_values().for_each(|pod| self.apply(pod));
                self.told.clear();
            }
            Ok(Event::Apply(pod)) => self.apply(pod),
            Ok(Event::Delete(pod)) => {
                if let Some(pod) = self.pods.remove(&uid(&pod)) {
                    // What its containers have still to say is read to the end.
                    pod.seen.send_replace(None);
                }
            }
            Err(error) => {
                let text = format!("The pods cannot be watched: {error}");
                if text != self.told {
                    self.log.say(&text);
                    self.told = text;
                }
            }
        }
    }

    fn apply(&mut self, pod: Pod) {
        let pod = Arc::new(pod);
        let followed = self
            .pods
            .entry(uid(&pod))
            .or_insert_with(|| Followed { seen: watch::Sender::new(None), containers: Vec::new() });
        followed.seen.send_replace(Some(pod.clone()));
        let spec = pod.spec.iter();
        let containers =
            spec.flat_map(|spec| spec.init_containers.iter().flatten().chain(&spec.containers));
        let names: Vec<&str> = containers.map(|container| container.name.as_str()).collect();
        let alone = names.len() == 1;
        let ours = pod.labels().contains_key(SESSION_LABEL);
        for name in names {
            let wanted = self.follow.container.as_deref().is_none_or(|only| only == name);
            if !wanted || followed.containers.iter().any(|known| known == name) {
                continue;
            }
            if self.streams.len() >= MOST {
                if !std::mem::replace(&mut self.full, true) {
                    let text = format!(
                        "Only {MOST} containers are followed at once; others are left out."
                    );
                    self.log.say(&text);
                }
                continue;
            }
            followed.containers.push(name.to_owned());
            let agent = ours && self.follow.agent.as_deref() == Some(name);
            let origin = if alone { pod.name_any() } else { format!("{}/{name}", pod.name_any()) };
            let streamed = Streamed {
                api: self.api.clone(),
                pod: pod.name_any(),
                container: name.to_owned(),
                seen: followed.seen.subscribe(),
                start: self.follow.start,
                origin: Origin {
                    source: if agent { LogSource::Agent } else { LogSource::Pod },
                    name: origin.into(),
                },
                log: self.log.clone(),
            };
            let refused = self.refused.clone();
            self.streams.spawn(async move {
                let log = streamed.log.clone();
                if let Err(message) = stream(streamed).await
                    && !refused.swap(true, Relaxed)
                {
                    log.say(&format!("Logs of pods cannot be read: {message}"));
                }
            });
        }
    }
}

fn uid(pod: &Pod) -> String {
    pod.uid().unwrap_or_default()
}
