//! Times of what happens in the window's page, taken there: the driver's own way to and fro does not count.

use anyhow::{Context, Result};
use serde_json::Value;
use towline_cluster_tests::eventually;
use towline_desktop_tests::window::Window;

/// Begins to wait, in the page, for the frame in which `condition` (JavaScript) first holds. One at a time.
pub(crate) async fn expect(window: &Window, condition: &str) -> Result<()> {
    let script = format!(
        "
        const bench = {{}};
        window.towlineBench = bench;
        const now = () => performance.timeOrigin + performance.now();
        document.addEventListener('click', () => {{ bench.clicked ??= now(); }}, {{ capture: true }});
        const holds = () => {condition};
        // The time when the frame has been handed over, not when it was begun.
        const note = () => requestAnimationFrame(() => setTimeout(() => {{ bench.seen = now(); }}));
        if (holds()) {{ note(); return; }}
        const observer = new MutationObserver(() => {{
            if (!holds()) return;
            observer.disconnect();
            note();
        }});
        const all = {{ childList: true, subtree: true, attributes: true, characterData: true }};
        observer.observe(document, all);
        "
    );
    window.script(&script).await.map(drop)
}

/// Waits for what [`expect`] was told. Gives the times, in milliseconds since 1970, of the first click after that, if there was one, and of the frame.
pub(crate) async fn seen(window: &Window) -> Result<(Option<f64>, f64)> {
    eventually("what is waited for in the page", || async {
        let bench = window.script("return window.towlineBench").await?;
        Ok(bench["seen"].as_f64().map(|seen| (bench["clicked"].as_f64(), seen)))
    })
    .await
}

/// From the click to the frame, in milliseconds.
pub(crate) async fn since_click(window: &Window) -> Result<f64> {
    let (clicked, seen) = seen(window).await?;
    Ok(seen - clicked.context("nothing was clicked")?)
}

/// What an asynchronous script in the page returns; `ask(query)` asks for a page of a log, as the window does.
pub(crate) async fn answer(window: &Window, script: &str) -> Result<Value> {
    let script = format!(
        "
        window.towlineAnswer = null;
        const ask = (query) => window.__TAURI_INTERNALS__.invoke('logs', {{ query }});
        (async () => {{ {script} }})().then(
            (value) => {{ window.towlineAnswer = {{ value }}; }},
            (error) => {{ window.towlineAnswer = {{ error: JSON.stringify(error) + error }}; }},
        );
        "
    );
    window.script(&script).await?;
    let answer = eventually("an answer of the page", || async {
        let answer = window.script("return window.towlineAnswer").await?;
        Ok((!answer.is_null()).then_some(answer))
    })
    .await?;
    anyhow::ensure!(answer["error"].is_null(), "the page: {}", answer["error"]);
    Ok(answer["value"].clone())
}

/// Milliseconds since 1970, by this machine's clock, which is the page's too.
pub(crate) fn now() -> f64 {
    let passed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    passed.map_or(0.0, |passed| passed.as_secs_f64() * 1e3)
}
