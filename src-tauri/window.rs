//! The one window.

use std::time::Duration;

use tauri::{AppHandle, Manager, WebviewWindow, WebviewWindowBuilder, WindowEvent, async_runtime};
use tokio::sync::Notify;
use towline_app::Controller;

use crate::{exit, tray};

/// The window's label in `tauri.conf.json` and in the capability.
const LABEL: &str = "main";

/// How long the page may take for its first paint. Afterwards the window is shown as it is: better a broken page than none.
const FIRST_PAINT: Duration = Duration::from_secs(5);

/// Told once the page has painted.
#[derive(Default)]
struct Painted(Notify);

/// Opens the window, hidden until [`painted`].
pub(crate) fn open(app: &AppHandle) -> tauri::Result<()> {
    app.manage(Painted::default());
    let config = app.config().app.windows.iter().find(|window| window.label == LABEL);
    let config = config.ok_or(tauri::Error::WindowNotFound)?;
    let window = WebviewWindowBuilder::from_config(app, config)?.build()?;
    let handle = app.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event {
            api.prevent_close();
            close(&handle);
        }
    });
    let handle = app.clone();
    async_runtime::spawn(async move {
        let painted = handle.state::<Painted>();
        if tokio::time::timeout(FIRST_PAINT, painted.0.notified()).await.is_err() {
            tracing::warn!(
                "the page has not painted within {FIRST_PAINT:?}; the window is shown as it is"
            );
            raise(&handle);
        }
    });
    Ok(())
}

/// The page has painted: the window is shown.
pub(crate) fn painted(app: &AppHandle) {
    app.state::<Painted>().0.notify_one();
    raise(app);
}

/// Brings the window up, from the tray, from the task bar, or from behind others.
pub(crate) fn raise(app: &AppHandle) {
    let Some(window) = main(app) else {
        return;
    };
    let done = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    if let Err(error) = done {
        tracing::warn!(%error, "bring the window up");
    }
}

/// The user closes the window. With sessions it goes into the tray, and they go on; where nothing shows a tray, the window asks what to do. Without sessions
/// the application ends.
pub(crate) fn close(app: &AppHandle) {
    let controller = app.state::<Controller>();
    if towline_app::tray::open(&controller.app()).next().is_none() {
        exit::quit(app);
    } else if tray::is_shown(app) {
        let hidden = main(app).map(|window| window.hide());
        if let Some(Err(error)) = hidden {
            tracing::warn!(%error, "hide the window");
        }
    } else {
        raise(app);
        controller.request_quit();
    }
}

/// Whether the user is looking at the window.
pub(crate) fn is_focused(app: &AppHandle) -> bool {
    main(app).is_some_and(|window| {
        window.is_visible().unwrap_or(false) && window.is_focused().unwrap_or(false)
    })
}

/// The window, for a dialog that belongs to it.
pub(crate) fn main(app: &AppHandle) -> Option<WebviewWindow> {
    app.get_webview_window(LABEL)
}
