//! Ending: never without putting back what sessions have changed.

use tauri::{AppHandle, Manager, async_runtime};
use towline_app::Controller;

/// Stops every session, which restores the workloads, and ends the application.
pub(crate) fn quit(app: &AppHandle) {
    let app = app.clone();
    async_runtime::spawn(async move {
        stop_all(&app).await;
        app.exit(0);
    });
}

/// Stops every session. The core's own limits see that it ends.
pub(crate) async fn stop_all(app: &AppHandle) {
    tracing::info!("quitting");
    app.state::<Controller>().quit().await;
}

/// SIGTERM, SIGINT and SIGHUP (the end of a desktop session, Ctrl-C in the terminal that it was started from) quit in the same way; a second one
/// ends at once, and leaves the restoring to the cluster.
#[cfg(unix)]
pub(crate) fn on_signals(app: &AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};

    let app = app.clone();
    async_runtime::spawn(async move {
        let signals = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
            signal(SignalKind::hangup()),
        );
        let (Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)) = signals else {
            tracing::error!("signals cannot be waited for: they end Towline without restoring");
            return;
        };
        let mut asked = false;
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = hangup.recv() => {}
            }
            if asked {
                app.exit(1);
            } else {
                asked = true;
                quit(&app);
            }
        }
    });
}

/// Other systems end a desktop application through its window.
#[cfg(not(unix))]
pub(crate) fn on_signals(_app: &AppHandle) {}
