//! One watch: lists, follows, and after any failure lists anew, so that what is shown is never older than it says.

use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;

use futures::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Service;
use kube::api::{Api, DynamicObject};
use kube::runtime::watcher::{self, Config, Event, watcher};
use tokio_util::sync::CancellationToken;
use towline_core::cluster::{Cluster, ClusterError};
use towline_core::look::Scope;
use towline_workload::Kind;

use super::Picked;
use super::lean::LeanPod;
use crate::explorer::tables::{Feed, News, Object, Resource};

/// How many objects one answer holds.
const PAGE: u32 = 500;

/// How many changes are taken at once.
const BATCH: usize = 500;

/// How long after the first failure it is tried again; twice as long after each further one, up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// How long after a refusal: rights are given by people.
const REFUSED: Duration = Duration::from_secs(30);

impl Picked {
    /// Keeps one feed's rows current, for ever. `told` is cancelled when its first list is complete, or has failed.
    pub(super) async fn follow(&self, cluster: &Cluster, feed: &Feed, told: &CancellationToken) {
        let mut again = self.again.subscribe();
        let mut wait = SHORTEST;
        loop {
            let error = tokio::select! {
                (listed, error) = self.until_broken(cluster, feed, told) => {
                    if listed {
                        wait = SHORTEST;
                    }
                    error
                }
                _ = again.changed() => continue,
            };
            let what = format!("list the {} {}", feed.resource.plural(), feed.scope.phrase());
            let error = cluster.explain(what, error);
            tracing::debug!(context = %self.context, %error, "a watch broke");
            self.broken(feed, &error);
            told.cancel();
            let pause = match error {
                ClusterError::Forbidden { .. } => REFUSED,
                _ => wait,
            };
            wait = (wait * 2).min(LONGEST);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = again.changed() => wait = SHORTEST,
            }
        }
    }

    /// Whether the list was complete before it broke, and why it broke.
    async fn until_broken(
        &self,
        cluster: &Cluster,
        feed: &Feed,
        told: &CancellationToken,
    ) -> (bool, kube::Error) {
        let mut batches = pin!(news(cluster, feed).ready_chunks(BATCH));
        let mut listed = false;
        while let Some(batch) = batches.next().await {
            let mut broken = None;
            let batch =
                batch.into_iter().map_while(|news| news.map_err(|error| broken = Some(error)).ok());
            let batch: Vec<News> = batch.collect();
            listed |= batch.iter().any(|news| matches!(news, News::Complete));
            self.take(feed, batch);
            if listed {
                told.cancel();
            }
            if let Some(error) = broken {
                return (listed, cause(error));
            }
        }
        (listed, cause(watcher::Error::NoResourceVersion))
    }
}

type Newses = futures::stream::BoxStream<'static, Result<News, watcher::Error>>;

fn news(cluster: &Cluster, feed: &Feed) -> Newses {
    let scope = &feed.scope;
    match feed.resource {
        Resource::Services => {
            from::<Service>(scope.api(cluster), |it| Object::Service(Box::new(it)))
        }
        Resource::Pods => from::<LeanPod>(scope.api(cluster), |it| Object::Pod(Box::new(it.0))),
        Resource::Workloads(kind) => {
            from(dynamic(cluster, scope, kind), move |it| Object::Workload(kind, Box::new(it)))
        }
    }
}

fn dynamic(cluster: &Cluster, scope: &Scope, kind: Kind) -> Api<DynamicObject> {
    let resource = kind.api_resource();
    match scope {
        Scope::Namespace(namespace) => Api::namespaced_with(cluster.client(), namespace, &resource),
        Scope::All => Api::all_with(cluster.client(), &resource),
    }
}

fn from<K>(api: Api<K>, object: impl Fn(K) -> Object + Send + 'static) -> Newses
where
    K: kube::Resource + Clone + serde::de::DeserializeOwned + Debug + Send + 'static,
{
    // When it has been away for longer than the API server remembers, the watcher lists anew by itself.
    let expired = |event: &Result<Event<K>, watcher::Error>| matches!(event, Err(watcher::Error::WatchError(status)) if status.code == 410);
    let events = watcher(api, Config::default().page_size(PAGE))
        .filter(move |event| std::future::ready(!expired(event)));
    boxed(events.map_ok(move |event| match event {
        Event::Init => News::Listing,
        Event::InitApply(it) => News::Listed(object(it)),
        Event::InitDone => News::Complete,
        Event::Apply(it) => News::Changed(object(it)),
        Event::Delete(it) => News::Deleted(object(it)),
    }))
}

fn boxed(stream: impl Stream<Item = Result<News, watcher::Error>> + Send + 'static) -> Newses {
    stream.boxed()
}

/// The client's error below a watcher's.
pub(super) fn cause(error: watcher::Error) -> kube::Error {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => error,
        watcher::Error::WatchError(status) => kube::Error::Api(status),
        error @ watcher::Error::NoResourceVersion => kube::Error::Service(Box::new(error)),
    }
}
