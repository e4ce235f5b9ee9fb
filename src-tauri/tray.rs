//! The tray icon. What it shows is [`towline_app::tray`]'s; here it is only drawn.

mod menu;

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tauri::{
    AppHandle, Manager, async_runtime,
    image::Image,
    include_image,
    tray::{MouseButton, TrayIcon, TrayIconBuilder, TrayIconEvent},
};
use towline_app::{
    Controller,
    tray::{Tray, TrayState},
};

use crate::window;

/// How long changes are gathered before the tray is drawn anew: a menu that changes twenty times a second cannot be used.
const PAUSE: Duration = Duration::from_millis(250);

/// The icon, where the desktop shows one.
#[derive(Default)]
struct Icon(Mutex<Option<TrayIcon>>);

/// Draws the tray, now and whenever something that it shows changes.
pub(crate) fn follow(app: &AppHandle, controller: &Controller) {
    app.manage(Icon::default());
    let (app, controller) = (app.clone(), controller.clone());
    async_runtime::spawn(async move {
        let mut changed = controller.changed();
        let mut drawn = None;
        loop {
            let tray = towline_app::tray::tray(&controller.app());
            if drawn.as_ref() != Some(&tray) {
                draw_soon(&app, tray.clone());
                drawn = Some(tray);
            }
            if changed.changed().await.is_err() {
                return;
            }
            tokio::time::sleep(PAUSE).await;
            changed.mark_unchanged();
        }
    });
}

/// Whether the desktop shows the icon. Where it did not at the start, it is asked again: its panel may have come later. On the main thread only.
pub(crate) fn is_shown(app: &AppHandle) -> bool {
    let controller = app.state::<Controller>();
    draw(app, &towline_app::tray::tray(&controller.app()));
    app.state::<Icon>().0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
}

fn draw_soon(app: &AppHandle, tray: Tray) {
    let handle = app.clone();
    if let Err(error) = app.run_on_main_thread(move || draw(&handle, &tray)) {
        tracing::warn!(%error, "draw the tray icon");
    }
}

/// On the main thread only: menus are made there, so another thread would wait for it while it holds the icon.
fn draw(app: &AppHandle, tray: &Tray) {
    let icon = app.state::<Icon>();
    let mut icon = icon.0.lock().unwrap_or_else(PoisonError::into_inner);
    let done = match &*icon {
        Some(icon) => update(app, icon, tray),
        None => build(app, tray).map(|built| *icon = Some(built)),
    };
    if let Err(error) = done {
        tracing::info!(%error, "the desktop shows no tray icon");
    }
}

fn build(app: &AppHandle, tray: &Tray) -> tauri::Result<TrayIcon> {
    TrayIconBuilder::with_id("towline")
        .title("Towline")
        .icon(image(tray.state))
        .tooltip(&tray.tooltip)
        .menu(&menu::build(app, &tray.menu)?)
        .show_menu_on_left_click(false)
        .on_menu_event(|app, event| menu::act(app, event.id().as_ref()))
        .on_tray_icon_event(|icon, event| {
            if let TrayIconEvent::Click { button: MouseButton::Left, .. } = event {
                window::raise(icon.app_handle());
            }
        })
        .build(app)
}

fn update(app: &AppHandle, icon: &TrayIcon, tray: &Tray) -> tauri::Result<()> {
    icon.set_icon(Some(image(tray.state)))?;
    icon.set_tooltip(Some(&tray.tooltip))?;
    icon.set_menu(Some(menu::build(app, &tray.menu)?))
}

fn image(state: TrayState) -> Image<'static> {
    match state {
        TrayState::Idle => include_image!("icons/tray/idle.png"),
        TrayState::Active => include_image!("icons/tray/active.png"),
        TrayState::Attention => include_image!("icons/tray/attention.png"),
    }
}
