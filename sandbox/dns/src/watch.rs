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
use tracing::{debug, warn};

use crate::zone::{Objects, Zone};

/// A zone as soon as all objects have been read, and a new one after each change. The stream has no end: it waits for an API server that is not there
/// yet or not there at the moment, and the last zone stays good meanwhile.
pub(crate) fn zones(client: Client, domain: Name) -> impl Stream<Item = Zone> {
    let (services, service_changes) = follow::<Service>(&client);
    let (endpoints, endpoint_changes) = follow::<Endpoints>(&client);
    let (pods, pod_changes) = follow::<Pod>(&client);
    let mut serial = 0_u32;
    stream::select_all([service_changes.boxed(), endpoint_changes.boxed(), pod_changes.boxed()])
        // Changes come in bursts (a list, a rollout); one zone is built for as many as are there.
        .ready_chunks(1024)
        .filter_map(move |_| {
            let complete = is_complete(&services) && is_complete(&endpoints) && is_complete(&pods);
            let zone = complete.then(|| {
                serial = serial.wrapping_add(1);
                let objects = Objects {
                    services: services.state(),
                    endpoints: endpoints.state(),
                    pods: pods.state(),
                };
                let zone = Zone::build(&domain, serial, &objects);
                debug!(serial, "zone built");
                zone
            });
            std::future::ready(zone)
        })
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
