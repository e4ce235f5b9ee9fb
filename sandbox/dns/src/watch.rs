//! The cluster's objects, as a stream of zones.

#[cfg(test)]
mod tests;

use std::{fmt::Debug, time::Duration};

use futures::{FutureExt, Stream, StreamExt, stream};
use hickory_proto::rr::Name;
use k8s_openapi::api::core::v1::{Endpoints, Pod, Service};
use kube::{
    Api, Client, Resource,
    runtime::{
        WatchStreamExt,
        reflector::{self, Store},
        utils::Backoff,
        watcher,
    },
};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

use crate::zone::{Objects, Zone};

/// After a zone has been built, the server rests this many times as long as that took: with thousands of pods a zone takes a good part of a second, and each
/// of a rollout's changes would have one.
const REST: u32 = 3;

/// A zone as soon as all objects have been read, and a new one after each change. The stream has no end: it waits for an API server that is not there
/// yet or not there at the moment, and the last zone stays good meanwhile.
pub(crate) fn zones(client: Client, domain: Name) -> impl Stream<Item = Zone> {
    let (services, service_changes) = follow::<Service>(&client);
    let (endpoints, endpoint_changes) = follow::<Endpoints>(&client);
    let (pods, pod_changes) = follow::<Pod>(&client);
    // Changes come in bursts (a list, a rollout); one zone is built for as many as are there.
    let changes = stream::select_all([
        service_changes.boxed(),
        endpoint_changes.boxed(),
        pod_changes.boxed(),
    ])
    .ready_chunks(1024);
    let known = Known { services, endpoints, pods };
    let builder = Builder { domain, known, serial: 0, rested: Instant::now() };
    stream::unfold((changes, builder), async |(mut changes, mut builder)| {
        loop {
            changes.next().await?;
            sleep_until(builder.rested).await;
            if let Some(zone) = builder.build() {
                return Some((zone, (changes, builder)));
            }
        }
    })
}

/// What the watches have brought.
struct Known {
    services: Store<Service>,
    endpoints: Store<Endpoints>,
    pods: Store<Pod>,
}

impl Known {
    fn is_complete(&self) -> bool {
        is_complete(&self.services) && is_complete(&self.endpoints) && is_complete(&self.pods)
    }
}

struct Builder {
    domain: Name,
    known: Known,
    serial: u32,
    /// Before this no zone is built.
    rested: Instant,
}

impl Builder {
    /// `None` as long as not everything has been read once.
    fn build(&mut self) -> Option<Zone> {
        if !self.known.is_complete() {
            return None;
        }
        let begin = Instant::now();
        self.serial = self.serial.wrapping_add(1);
        let objects = Objects {
            services: self.known.services.state(),
            endpoints: self.known.endpoints.state(),
            pods: self.known.pods.state(),
        };
        let zone = Zone::build(&self.domain, self.serial, &objects);
        debug!(serial = self.serial, "zone built");
        self.rested = Instant::now() + begin.elapsed() * REST;
        Some(zone)
    }
}

fn follow<K>(client: &Client) -> (Store<K>, impl Stream<Item = ()> + use<K>)
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let (store, writer) = reflector::store();
    let watch = watcher(Api::<K>::all(client.clone()), watcher::Config::default()).backoff(Often);
    let changes = reflector::reflector(writer, watch).filter_map(|event| {
        let change = match event {
            // Objects of a list that is not complete yet are not in the store either.
            Ok(watcher::Event::Init | watcher::Event::InitApply(_)) => None,
            Ok(_) => Some(()),
            Err(error) => {
                warn!(kind = %K::kind(&()), error = %Causes(&error), "cannot watch; trying again");
                None
            }
        };
        std::future::ready(change)
    });
    (store, changes)
}

fn is_complete<K>(store: &Store<K>) -> bool
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    store.wait_until_ready().now_or_never().is_some_and(|ready| ready.is_ok())
}

/// The API server is on the same machine: no need to spare it, and tests wait for names.
struct Often;

impl Iterator for Often {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(Duration::from_millis(250))
    }
}

impl Backoff for Often {
    fn reset(&mut self) {}
}

/// An error with its sources, on one line.
struct Causes<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
