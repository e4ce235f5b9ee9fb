//! The interface of the desktop's notifications.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use zbus::interface;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedValue;

use super::Shown;

/// What is shown.
pub(super) type All = Arc<Mutex<Vec<Shown>>>;

/// Shows notifications.
pub(super) struct Daemon {
    pub(super) all: All,
}

#[interface(name = "org.freedesktop.Notifications")]
impl Daemon {
    #[allow(clippy::too_many_arguments, reason = "the specification has so many")]
    fn notify(
        &self,
        _application: &str,
        replaces: u32,
        _icon: &str,
        title: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let next = all.iter().map(|shown| shown.id).max().unwrap_or(0) + 1;
        let id = if replaces == 0 { next } else { replaces };
        // Names and labels take turns.
        let actions = actions.into_iter().step_by(2).collect();
        all.retain(|shown| shown.id != id);
        all.push(Shown { id, title, body, actions });
        id
    }

    fn close_notification(&self, id: u32) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).retain(|shown| shown.id != id);
    }

    fn get_capabilities(&self) -> Vec<&'static str> {
        vec!["actions", "body"]
    }

    fn get_server_information(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        ("towline-tests", "towline", "1", "1.2")
    }

    #[zbus(signal)]
    pub(super) async fn action_invoked(
        emitter: &SignalEmitter<'_>,
        id: u32,
        key: &str,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    pub(super) async fn notification_closed(
        emitter: &SignalEmitter<'_>,
        id: u32,
        reason: u32,
    ) -> zbus::Result<()>;
}
