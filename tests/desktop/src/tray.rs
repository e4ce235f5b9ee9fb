//! The part of a desktop that shows tray icons: a StatusNotifierWatcher with its host, and a user who reads the icon's menu.
//!
//! The protocols are the freedesktop.org Status Notifier Item specification and Canonical's `com.canonical.dbusmenu`.

mod watcher;

use std::collections::HashMap;
use std::sync::PoisonError;

use anyhow::{Context, Result, bail};
use towline_cluster_tests::eventually;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, Proxy, connection};

use self::watcher::{Items, Watcher};
use crate::desktop::Desktop;

/// Where the protocol has an item.
const ITEM: &str = "/StatusNotifierItem";

/// Pictures: width, height, ARGB bytes.
type Pictures = Vec<(i32, i32, Vec<u8>)>;

/// An icon's name, its pictures, a title, a description.
type Tooltip = (String, Pictures, String, String);

/// A host for tray icons on a desktop.
pub struct TrayHost {
    connection: Connection,
    items: Items,
}

/// A line of a menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number.
    pub id: i32,
    /// Its text, or empty for a rule.
    pub label: String,
    /// The lines that it opens.
    pub lines: Vec<Line>,
}

impl TrayHost {
    /// Takes the host's place on the desktop.
    ///
    /// # Errors
    /// When another one has it.
    pub async fn start(desktop: &Desktop) -> Result<Self> {
        let items = Items::default();
        let watcher = Watcher { items: items.clone() };
        let connection = connection::Builder::address(desktop.bus.as_str())?
            .serve_at("/StatusNotifierWatcher", watcher)?
            .name("org.kde.StatusNotifierWatcher")?
            .build()
            .await?;
        Ok(Self { connection, items })
    }

    /// The tooltip's text, once it satisfies `wanted`.
    ///
    /// # Errors
    /// When there is no icon, or its tooltip stays another one.
    pub async fn tooltip(&self, wanted: impl Fn(&str) -> bool) -> Result<String> {
        eventually("the tray icon's tooltip", || async {
            let tooltip: Tooltip = self.item().await?.get_property("ToolTip").await?;
            let (_, _, title, description) = tooltip;
            let text = format!("{title} {description}");
            if !wanted(&text) {
                bail!("it is {text:?}");
            }
            Ok(Some(text))
        })
        .await
    }

    /// The icon's picture, as width, height and ARGB bytes.
    ///
    /// # Errors
    /// When there is none.
    pub async fn picture(&self) -> Result<(i32, i32, Vec<u8>)> {
        let pictures: Pictures = self.item().await?.get_property("IconPixmap").await?;
        pictures.into_iter().next().context("a picture")
    }

    /// The menu as it is now.
    ///
    /// # Errors
    /// When there is none.
    pub async fn menu(&self) -> Result<Vec<Line>> {
        let menu = self.menu_proxy().await?;
        let properties: Vec<&str> = Vec::new();
        let (_, root): (u32, Layout) = menu.call("GetLayout", &(0_i32, -1_i32, properties)).await?;
        Ok(line(root)?.lines)
    }

    /// Clicks the line to which these labels lead; each is the beginning of one.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn choose(&self, labels: &[&str]) -> Result<()> {
        let id = eventually(&format!("{labels:?} in the tray's menu"), || async {
            let mut lines = self.menu().await?;
            let mut id = None;
            for label in labels {
                let found = lines.iter().find(|line| line.label.starts_with(label));
                let Some(found) = found.cloned() else {
                    bail!("no {label:?} in {lines:?}");
                };
                id = Some(found.id);
                lines = found.lines;
            }
            Ok(id)
        })
        .await?;
        let menu = self.menu_proxy().await?;
        menu.call::<_, _, ()>("Event", &(id, "clicked", Value::from(0_i32), 0_u32)).await?;
        Ok(())
    }

    async fn item(&self) -> Result<Proxy<'static>> {
        let item = self.items.lock().unwrap_or_else(PoisonError::into_inner).last().cloned();
        let name = item.context("nobody has registered a tray icon")?;
        // What is on the bus changes: nothing is kept.
        let builder: zbus::proxy::Builder<'_, Proxy<'_>> =
            zbus::proxy::Builder::new(&self.connection);
        Ok(builder
            .destination(name)?
            .path(ITEM)?
            .interface("org.kde.StatusNotifierItem")?
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await?)
    }

    async fn menu_proxy(&self) -> Result<Proxy<'static>> {
        let item = self.item().await?;
        let path: OwnedObjectPath = item.get_property("Menu").await?;
        let name = item.destination().to_owned();
        Ok(Proxy::new(&self.connection, name, path, "com.canonical.dbusmenu").await?)
    }
}

/// A line as it travels: number, properties, lines in it.
type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

fn line((id, properties, inner): Layout) -> Result<Line> {
    let label = properties.get("label").map(|label| String::try_from(label.clone()));
    let label = label.transpose()?.unwrap_or_default();
    let lines = inner
        .into_iter()
        .map(|value| line(Layout::try_from(value).context("a line of the menu")?))
        .collect::<Result<_>>()?;
    Ok(Line { id, label, lines })
}
