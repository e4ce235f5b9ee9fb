//! Objects of a cluster as they are, again after each change, through every loss of the API server.

use std::collections::BTreeMap;
use std::fmt::Debug;

use futures::{Stream, StreamExt};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, ExponentialBackoff, watcher};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use crate::backoff;

/// The objects by name.
pub(super) type Seen<K> = BTreeMap<String, K>;

/// The objects that `config` selects, first as listed and then after each change. An error is followed by another try, after a pause.
pub(super) fn follow<K>(
    api: Api<K>,
    config: watcher::Config,
) -> impl Stream<Item = Result<Seen<K>, watcher::Error>> + Send
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let mut seen = Seen::new();
    let mut listed = Seen::new();
    let events = watcher(api, config).backoff(ExponentialBackoff::from(backoff::builder()));
    events.filter_map(move |event| {
        let changed = match event {
            Err(error) => Some(Err(error)),
            Ok(Event::Init) => {
                listed.clear();
                None
            }
            Ok(Event::InitApply(object)) => {
                listed.insert(object.name_any(), object);
                None
            }
            Ok(Event::InitDone) => {
                seen = std::mem::take(&mut listed);
                Some(Ok(seen.clone()))
            }
            Ok(Event::Apply(object)) => {
                seen.insert(object.name_any(), object);
                Some(Ok(seen.clone()))
            }
            Ok(Event::Delete(object)) => {
                // A successor of the same name may have been seen already.
                let name = object.name_any();
                if seen.get(&name).is_some_and(|other| other.uid() == object.uid()) {
                    seen.remove(&name);
                }
                Some(Ok(seen.clone()))
            }
        };
        std::future::ready(changed)
    })
}
