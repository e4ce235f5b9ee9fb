//! From the start of the program to what the user sees first, and what the window takes while nobody does anything: without a driver, as users have it.
//!
//! Beside it stands WebKitGTK's own small browser with a page of text, which tells what any window of WebKitGTK takes on this machine.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::process::Child;
use towline_desktop_tests::desktop::{Desktop, application};
use towline_desktop_tests::process::{command, signal};

use crate::processes::{Family, report_cpu};
use crate::report::{Report, greatest, median, milliseconds, number};
use crate::screen::Screen;

/// How often each program is started. The first time counts for none: it finds the disk's cache cold.
const ROUNDS: usize = 5;

/// After this time a window has done what belongs to its start.
const SETTLED: Duration = Duration::from_secs(8);

/// How long an idle window is watched.
const IDLE: Duration = Duration::from_secs(30);

/// The browser's own bars are above this line; its page is below.
const BARS: u16 = 120;

/// What the application tells WebKit itself (`src-tauri/renderer.rs`); the browser is told, so that both do the same work.
const RENDERER: &[(&str, &str)] = &[("WEBKIT_DISABLE_DMABUF_RENDERER", "1")];

/// A program that opens a window.
struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    environment: &'static [(&'static str, &'static str)],
    /// Where its window shows what counts, in pixels from its upper edge.
    top: u16,
}

/// A program whose window has been painted.
struct Shown {
    child: Child,
    id: u32,
    time: Duration,
}

/// Measures the application and the browser in turn, on one desktop.
pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let desktop = Desktop::start().await?;
    let screen = Screen::open(&desktop)?;
    let towline = Program { path: application()?, arguments: Vec::new(), environment: &[], top: 0 };
    let browser = browser(&desktop)?;
    let mut times = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        for (program, times) in [(&towline, &mut times.0), (&browser, &mut times.1)] {
            let shown = show(&desktop, &screen, program).await?;
            if round > 0 {
                times.push(milliseconds(shown.time));
            }
            end(shown, &screen).await?;
        }
    }
    let slowest = greatest(times.0.iter().copied());
    let middle = median(times.0);
    report.add("start to first paint, median", number(middle, "ms"));
    report.beside(middle, "WebKitGTK's MiniBrowser", median(times.1), "ms");
    report.add("start to first paint, slowest", format!("{slowest:.0} ms"));

    let shown = show(&desktop, &screen, &browser).await?;
    tokio::time::sleep(SETTLED).await;
    for (name, memory) in Family::of(shown.id)?.memory()? {
        report.add(
            format!("memory, MiniBrowser, {name}"),
            format!("{:.0} MB PSS, {:.0} MB RSS", memory.proportional, memory.resident),
        );
    }
    end(shown, &screen).await?;

    let shown = show(&desktop, &screen, &towline).await?;
    tokio::time::sleep(SETTLED).await;
    let family = Family::of(shown.id)?;
    family.report_memory("idle", report)?;
    let sum = report_cpu(&family.cpu_during(IDLE).await?, "idle", report);
    report.target(sum < 1.0, "below 1 %");
    end(shown, &screen).await
}

/// Starts a program and waits for the first paint.
async fn show(desktop: &Desktop, screen: &Screen, program: &Program) -> Result<Shown> {
    let mut start = command(&program.path);
    desktop.tell(&mut start).args(&program.arguments).envs(program.environment.iter().copied());
    start.stdout(Stdio::null()).stderr(Stdio::null());
    let before = Instant::now();
    let child = start.spawn().with_context(|| format!("start {}", program.path.display()))?;
    let painted = screen.painted(program.top).await;
    let painted = painted.with_context(|| program.path.display().to_string())?;
    let id = child.id().context("the program runs")?;
    Ok(Shown { child, id, time: painted - before })
}

/// Ends a program as the end of a desktop session does, and waits until nothing of it is left on the display.
async fn end(mut shown: Shown, screen: &Screen) -> Result<()> {
    signal(shown.id, "TERM")?;
    let ended = tokio::time::timeout(towline_cluster_tests::LIMIT, shown.child.wait()).await;
    ended.context("the program does not end")??;
    screen.empty().await
}

/// WebKitGTK's own browser, which its library's package has, with a page of text.
fn browser(desktop: &Desktop) -> Result<Program> {
    let places = fs::read_dir("/usr/lib")?.flatten();
    let mut paths = places.map(|place| place.path().join("webkit2gtk-4.1/MiniBrowser"));
    let path = paths.find(|path| path.exists());
    let path = path.context("MiniBrowser of libwebkit2gtk-4.1 is not in /usr/lib")?;
    let page = desktop.home.path().join("page.html");
    let text = "<p>A page with some text and nothing else.</p>".repeat(40);
    fs::write(&page, format!("<!doctype html><title>page</title>{text}"))?;
    let address = format!("file://{}", page.display());
    Ok(Program { path, arguments: vec![address.into()], environment: RENDERER, top: BARS })
}
