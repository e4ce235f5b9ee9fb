//! How many pods a service has and how many of them are ready: kept up to date pod by pod, because to count anew with 500 services and 5,000 pods
//! is millions of comparisons.

use std::collections::BTreeMap;
use std::sync::Arc;

use towline_core::target::selects;

use super::entries::{Name, PodEntry, ServiceEntry};

/// The count of a service's pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) ready: u32,
    pub(super) total: u32,
    /// Sessions whose agents run in pods of the service, with how many.
    pub(super) sessions: BTreeMap<Arc<str>, u32>,
}

impl Tally {
    fn add(&mut self, pod: &PodEntry) {
        let Some(ready) = pod.ready else { return };
        self.total += 1;
        self.ready += u32::from(ready);
        if let Some(session) = &pod.session {
            *self.sessions.entry(session.clone()).or_default() += 1;
        }
    }

    fn subtract(&mut self, pod: &PodEntry) {
        let Some(ready) = pod.ready else { return };
        self.total = self.total.saturating_sub(1);
        self.ready = self.ready.saturating_sub(u32::from(ready));
        if let Some(session) = &pod.session
            && let Some(count) = self.sessions.get_mut(session)
        {
            *count = count.saturating_sub(1);
            self.sessions.retain(|_, count| *count > 0);
        }
    }
}

/// Those of a namespace.
pub(super) fn pods_of<'a>(
    pods: &'a BTreeMap<Name, PodEntry>,
    namespace: &'a str,
) -> impl Iterator<Item = &'a PodEntry> {
    within(pods, namespace).map(|(_, pod)| pod)
}

/// The count for a service that is new or has changed.
pub(super) fn of<'a>(service: &ServiceEntry, pods: impl Iterator<Item = &'a PodEntry>) -> Tally {
    let mut tally = Tally::default();
    pods.filter(|pod| selects(&service.row.selector, &pod.labels)).for_each(|pod| tally.add(pod));
    tally
}

/// Puts a pod in the place of another in the counts of its namespace's services. Says whether that changed anything.
pub(super) fn change(
    services: &mut BTreeMap<Name, ServiceEntry>,
    namespace: &str,
    before: Option<&PodEntry>,
    after: Option<&PodEntry>,
) -> bool {
    let same = before.zip(after).is_some_and(|(before, after)| {
        (before.ready, &before.session, &before.labels)
            == (after.ready, &after.session, &after.labels)
    });
    if same {
        return false;
    }
    let mut changed = false;
    let inside = services.range_mut(first(namespace)..);
    let inside = inside.take_while(|(name, _)| *name.0 == *namespace);
    for (_, service) in inside {
        let fits = |pod: &&PodEntry| selects(&service.row.selector, &pod.labels);
        let (before, after) = (before.filter(fits), after.filter(fits));
        changed |= before.is_some() || after.is_some();
        if let Some(before) = before {
            service.tally.subtract(before);
        }
        if let Some(after) = after {
            service.tally.add(after);
        }
    }
    changed
}

fn within<'a, T>(
    map: &'a BTreeMap<Name, T>,
    namespace: &'a str,
) -> impl Iterator<Item = (&'a Name, &'a T)> {
    map.range(first(namespace)..).take_while(move |(name, _)| *name.0 == *namespace)
}

/// Before every name of the namespace.
pub(super) fn first(namespace: &str) -> Name {
    (namespace.into(), "".into())
}
