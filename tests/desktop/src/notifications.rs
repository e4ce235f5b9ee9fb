//! The part of a desktop that shows notifications, and a user who clicks on them (freedesktop.org's Desktop Notifications Specification 1.2).

mod daemon;

use std::sync::PoisonError;

use anyhow::{Result, bail};
use towline_cluster_tests::eventually;
use zbus::{Connection, connection};

use self::daemon::{All, Daemon};
use crate::desktop::Desktop;

const PATH: &str = "/org/freedesktop/Notifications";

/// A notification that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its number.
    pub id: u32,
    /// The title.
    pub title: String,
    /// The text.
    pub body: String,
    /// What can be done with it, as the application names that: `default` is a click on it.
    pub actions: Vec<String>,
}

/// Shows the notifications of a desktop.
pub struct Notifications {
    connection: Connection,
    all: All,
}

impl Notifications {
    /// Takes that place on the desktop.
    ///
    /// # Errors
    /// When another one has it.
    pub async fn start(desktop: &Desktop) -> Result<Self> {
        let all = All::default();
        let connection = connection::Builder::address(desktop.bus.as_str())?
            .serve_at(PATH, Daemon { all: all.clone() })?
            .name("org.freedesktop.Notifications")?
            .build()
            .await?;
        Ok(Self { connection, all })
    }

    /// The notification that fits, once it is shown.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn shown(&self, fits: impl Fn(&Shown) -> bool) -> Result<Shown> {
        eventually("a notification", || async {
            let all = self.all.lock().unwrap_or_else(PoisonError::into_inner).clone();
            match all.iter().find(|shown| fits(shown)) {
                Some(shown) => Ok(Some(shown.clone())),
                None => bail!("shown are {all:?}"),
            }
        })
        .await
    }

    /// Clicks on it.
    ///
    /// # Errors
    /// When the bus is gone.
    pub async fn click(&self, shown: &Shown) -> Result<()> {
        let daemon = self.connection.object_server().interface::<_, Daemon>(PATH).await?;
        Daemon::action_invoked(daemon.signal_emitter(), shown.id, "default").await?;
        Ok(Daemon::notification_closed(daemon.signal_emitter(), shown.id, 2).await?)
    }
}
