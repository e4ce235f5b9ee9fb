//! What the tray shows: a pure function of the application's state.

use serde::{Deserialize, Serialize};

use crate::view::{App, Place, Profile, Protocol, Session, SessionPhase};

#[cfg(test)]
mod tests;

/// How many remembered profiles the menu offers.
const RECENT: usize = 5;

/// The tray's icon, its tooltip and its menu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tray {
    /// Which icon.
    pub state: TrayState,
    /// One line.
    pub tooltip: String,
    /// The menu, from top to bottom.
    pub menu: Vec<MenuItem>,
}

/// Which icon the tray has. They differ in shape, not in colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum TrayState {
    /// No session.
    Idle,
    /// At least one session, and nothing that needs the user.
    Active,
    /// Something needs the user.
    Attention,
}

/// A line of the menu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum MenuItem {
    /// A line that does something.
    Entry(String, MenuAction),
    /// A line that only tells.
    Text(String),
    /// A line that opens further lines.
    Submenu(String, Vec<MenuItem>),
    /// A rule between groups.
    Separator,
}

/// What a line of the menu does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MenuAction {
    /// Shows the window as it is.
    Open,
    /// Shows a place in the window.
    Go(Place),
    /// Puts this on the clipboard.
    Copy(String),
    /// Stops the session of this id.
    Stop(String),
    /// Stops every session.
    StopAll,
    /// Stops every session and ends the application.
    Quit,
}

/// What the tray shows for this state.
pub fn tray(app: &App) -> Tray {
    let open: Vec<&Session> = open(app).collect();
    Tray { state: state(app, &open), tooltip: tooltip(app, &open), menu: menu(app, &open) }
}

/// The sessions that have not ended.
pub fn open(app: &App) -> impl Iterator<Item = &Session> {
    app.sessions.iter().filter(|session| !matches!(session.phase, SessionPhase::Ended { .. }))
}

fn state(app: &App, open: &[&Session]) -> TrayState {
    let calls =
        |session: &Session| session.attention.is_some() || session.phase == SessionPhase::Lapsed;
    if app.sessions.iter().any(calls) || !app.leftovers.is_empty() {
        TrayState::Attention
    } else if open.is_empty() {
        TrayState::Idle
    } else {
        TrayState::Active
    }
}

fn tooltip(app: &App, open: &[&Session]) -> String {
    if let Some(attention) = app.sessions.iter().find_map(|session| session.attention.as_ref()) {
        return format!("Towline: {attention}");
    }
    match open {
        [] if !app.leftovers.is_empty() => "Towline: an earlier session needs repair".to_owned(),
        [] => "Towline: no session".to_owned(),
        [one] => format!("Towline: {}, {}", name(one), phase(one)),
        several => format!("Towline: {} sessions", several.len()),
    }
}

fn menu(app: &App, open: &[&Session]) -> Vec<MenuItem> {
    let mut menu = vec![entry("Open Towline", MenuAction::Open), MenuItem::Separator];
    if open.is_empty() {
        menu.push(MenuItem::Text("No session".to_owned()));
    }
    menu.extend(open.iter().map(|session| submenu(session)));
    if !app.leftovers.is_empty() {
        let label = match app.leftovers.len() {
            1 => "Repair what an earlier session left…".to_owned(),
            count => format!("Repair what {count} earlier sessions left…"),
        };
        menu.push(entry(label, MenuAction::Go(Place::Diagnostics)));
    }
    menu.push(MenuItem::Separator);
    if !app.profiles.is_empty() {
        let recent = app.profiles.iter().take(RECENT).map(profile).collect();
        menu.push(MenuItem::Submenu("Recent".to_owned(), recent));
        menu.push(MenuItem::Separator);
    }
    if !open.is_empty() {
        menu.push(entry("Stop All", MenuAction::StopAll));
    }
    menu.push(entry(quit(open), MenuAction::Quit));
    menu
}

fn submenu(session: &Session) -> MenuItem {
    let id = session.id.clone();
    let mut items = vec![entry("Open", MenuAction::Go(Place::Session { id: id.clone() }))];
    for port in session.inbound.iter().filter(|port| port.protocol == Protocol::Tcp) {
        let url = format!("http://127.0.0.1:{}", port.local);
        items.push(entry(format!("Copy URL {url}"), MenuAction::Copy(url)));
    }
    items.push(match session.phase {
        SessionPhase::Stopping { .. } => MenuItem::Text("Stopping…".to_owned()),
        _ => entry("Stop", MenuAction::Stop(id)),
    });
    MenuItem::Submenu(format!("{}: {}", name(session), phase(session)), items)
}

fn profile(profile: &Profile) -> MenuItem {
    entry(format!("{}…", profile.name), MenuAction::Go(Place::Profile { id: profile.id.clone() }))
}

fn quit(open: &[&Session]) -> String {
    match open {
        [] => "Quit".to_owned(),
        [one] => format!("Quit (stops {})", name(one)),
        [one, other] => format!("Quit (stops {} and {})", name(one), name(other)),
        several => format!("Quit (stops {} sessions)", several.len()),
    }
}

fn phase(session: &Session) -> &'static str {
    match session.phase {
        SessionPhase::Connecting { .. } => "connecting",
        SessionPhase::Connected => "connected",
        SessionPhase::Reconnecting { .. } => "reconnecting",
        SessionPhase::Lapsed => "restored by the cluster",
        SessionPhase::Stopping { .. } => "stopping",
        SessionPhase::Ended { .. } => "ended",
    }
}

fn name(session: &Session) -> String {
    format!("{} ({})", session.title, session.request.namespace)
}

fn entry(label: impl Into<String>, action: MenuAction) -> MenuItem {
    MenuItem::Entry(label.into(), action)
}
