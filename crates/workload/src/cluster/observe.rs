//! Waiting for objects of a cluster to come to a state: list, then watch, then list again when the watch ends.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use kube::api::{Api, DynamicObject, ListParams, WatchEvent, WatchParams};
use kube::core::Selector;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use super::request::{code, is_transient};

/// The pause before a failed request is made again.
const RETRY: Duration = Duration::from_millis(500);

/// How long one watch lasts; the server ends it then. Below the limits that proxies put on idle connections.
const WATCH_SECONDS: u32 = 240;

/// Which objects to look at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    labels: Option<String>,
    fields: Option<String>,
}

impl Selection {
    pub(crate) fn labels(selector: impl Into<String>) -> Self {
        Self { labels: Some(selector.into()), fields: None }
    }

    pub(crate) fn matching(selector: &Selector) -> Self {
        Self::labels(selector.to_string())
    }

    /// One object. A Role that is limited to this name allows listing and watching in this form.
    pub(crate) fn named(name: &str) -> Self {
        Self { labels: None, fields: Some(format!("metadata.name={name}")) }
    }

    pub(crate) fn list(&self) -> ListParams {
        ListParams {
            label_selector: self.labels.clone(),
            field_selector: self.fields.clone(),
            ..ListParams::default()
        }
    }

    fn watch(&self) -> WatchParams {
        WatchParams {
            label_selector: self.labels.clone(),
            field_selector: self.fields.clone(),
            timeout: Some(WATCH_SECONDS),
            ..WatchParams::default()
        }
    }
}

/// The objects by name.
pub(crate) type Seen = BTreeMap<String, Value>;

/// The wait ended without the state.
#[derive(Debug)]
pub(crate) enum ObserveError {
    /// The deadline passed; the last request's error, if it failed.
    Deadline(Option<kube::Error>),
    /// The server refused, and asking again will not help.
    Refused(kube::Error),
}

/// Waits until `check` answers. It is called with what is there at first and after each change.
pub(crate) async fn until<T>(
    api: &Api<DynamicObject>,
    selection: Selection,
    deadline: Instant,
    mut check: impl FnMut(&Seen) -> Option<T>,
) -> Result<T, ObserveError> {
    let mut last = None;
    loop {
        match timeout_at(deadline, once(api, &selection, &mut check)).await {
            Err(_) => return Err(ObserveError::Deadline(last)),
            Ok(Ok(Some(answer))) => return Ok(answer),
            // The watch ended, as watches do.
            Ok(Ok(None)) => last = None,
            Ok(Err(error)) if is_transient(&error) || code(&error) == Some(410) => {
                last = Some(error);
                if timeout_at(deadline, sleep(RETRY)).await.is_err() {
                    return Err(ObserveError::Deadline(last));
                }
            }
            Ok(Err(error)) => return Err(ObserveError::Refused(error)),
        }
    }
}

async fn once<T>(
    api: &Api<DynamicObject>,
    selection: &Selection,
    check: &mut impl FnMut(&Seen) -> Option<T>,
) -> kube::Result<Option<T>> {
    let list = api.list(&selection.list()).await?;
    let version = list.metadata.resource_version.unwrap_or_default();
    let mut seen: Seen = list.items.iter().filter_map(entry).collect();
    if let Some(answer) = check(&seen) {
        return Ok(Some(answer));
    }
    let mut events = api.watch(&selection.watch(), &version).await?.boxed();
    while let Some(event) = events.try_next().await? {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                seen.extend(entry(&object));
            }
            WatchEvent::Deleted(object) => {
                seen.remove(object.metadata.name.as_deref().unwrap_or_default());
            }
            WatchEvent::Bookmark(_) => continue,
            WatchEvent::Error(status) => return Err(kube::Error::Api(status)),
        }
        if let Some(answer) = check(&seen) {
            return Ok(Some(answer));
        }
    }
    Ok(None)
}

fn entry(object: &DynamicObject) -> Option<(String, Value)> {
    let name = object.metadata.name.clone()?;
    Some((name, serde_json::to_value(object).ok()?))
}
