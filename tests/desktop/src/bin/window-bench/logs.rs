//! A session whose local program never stops writing.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use towline_cluster_tests::here::free_port;
use towline_cluster_tests::{LIMIT, eventually};
use towline_desktop_tests::application::Application;
use towline_desktop_tests::desktop::Desktop;
use towline_desktop_tests::kubeconfig::for_window;
use towline_desktop_tests::steps::Program;
use towline_desktop_tests::window::{Window, mark};

use crate::lines::beginning;
use crate::page;
use crate::processes::{Family, report_cpu};
use crate::report::Report;
use crate::sweep;

/// Lines a second, and for how long.
const RATE: u64 = 20_000;
const SECONDS: u64 = 10;

/// How many lines are written as fast as the program can.
const RUSH: u64 = 400_000;

/// How many lines the window keeps.
const KEPT: u64 = 50_000;

/// Measures a session of its own.
pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let namespace = sweep::namespace().await?;
    namespace.http_app("web", 1).await?;
    let desktop = Desktop::start().await?;
    let kubeconfig = for_window(&namespace, "bench").await?;
    let application = Application::start(&desktop, &kubeconfig).await?;
    let window = &application.window;

    let socket = desktop.home.path().join("lines.sock");
    let listener = UnixListener::bind(&socket)?;
    let program = std::env::current_exe()?;
    let line = format!("{} lines {}", program.display(), socket.display());
    window.pick_cluster("bench").await?;
    window.redirect("web").await?;
    window.prepare(&Program { line, remote: 8080, local: free_port().await? }).await?;
    let log = Log { window, id: window.connect().await? };
    let accepted = tokio::time::timeout(LIMIT, listener.accept()).await;
    let mut writer = Writer::new(accepted.context("the session's program does not come")??.0);
    window.click(&mark("tab-logs")).await?;
    window.find(&mark("log-lines")).await?;

    paced(&log, &mut writer, &Family::of(application.id)?, report).await?;
    rush(&log, &mut writer, report).await?;
    let family = Family::of(application.id)?;
    family.report_memory("with a full log", report)?;

    window.stop().await?;
    application.terminate().await?;
    sweep::remove(namespace).await
}

/// At the pace that must be kept up with.
async fn paced(
    log: &Log<'_>,
    writer: &mut Writer,
    family: &Family,
    report: &mut Report,
) -> Result<()> {
    let count = RATE * SECONDS;
    let before = log.begin().await?;
    writer.order(count, RATE).await?;
    let shares = family.cpu_during(Duration::from_secs(SECONDS - 2)).await?;
    log.expect(count).await?;
    let written = writer.written().await?;
    let (_, seen) = page::seen(log.window).await?;
    let lost = log.lost(before, count).await?;

    let rate = count as f64 / written.seconds;
    report.add(
        format!("log, {RATE} lines/s asked for"),
        format!("{rate:.0} lines/s came, {lost} of {count} lost"),
    );
    // The last batch ends a little after the last whole second.
    report.target(lost == 0 && rate > RATE as f64 * 0.99, "20,000 lines/s, none lost");
    report.add("log, last line: written to shown", format!("{:.0} ms", seen - written.last));
    report_cpu(&shares, "20,000 lines/s in the log that is shown", report);
    Ok(())
}

/// As fast as the window takes them: the pipe holds the program up.
async fn rush(log: &Log<'_>, writer: &mut Writer, report: &mut Report) -> Result<()> {
    let before = log.begin().await?;
    log.expect(RUSH).await?;
    writer.order(RUSH, 0).await?;
    let written = writer.written().await?;
    page::seen(log.window).await?;
    let lost = log.lost(before, RUSH).await?;
    let rate = RUSH as f64 / written.seconds;
    report.add(
        "log, as fast as the program can",
        format!("{rate:.0} lines/s, {lost} of {RUSH} lost"),
    );
    report.target(lost == 0, "none lost");
    Ok(())
}

/// The local program, seen from here.
struct Writer {
    stream: BufReader<UnixStream>,
}

struct Written {
    seconds: f64,
    /// When the last line was, in milliseconds since 1970.
    last: f64,
}

impl Writer {
    fn new(stream: UnixStream) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    async fn order(&mut self, count: u64, rate: u64) -> Result<()> {
        let order = format!("{}\n", json!({"count": count, "rate": rate}));
        Ok(self.stream.write_all(order.as_bytes()).await?)
    }

    async fn written(&mut self) -> Result<Written> {
        let mut line = String::new();
        let read = tokio::time::timeout(LIMIT, self.stream.read_line(&mut line)).await;
        read.context("the program does not come to its last line")??;
        let answer: Value = serde_json::from_str(&line).context("the program has ended")?;
        let field = |name: &str| answer[name].as_f64().with_context(|| name.to_owned());
        Ok(Written { seconds: field("seconds")?, last: field("last")? })
    }
}

/// The session's log, asked for as the window asks.
struct Log<'w> {
    window: &'w Window,
    id: String,
}

impl Log<'_> {
    /// The number that the next line will have. From now on lines that are not the program's are counted, before the ring lets them go.
    async fn begin(&self) -> Result<u64> {
        let script = format!(
            "
            const log = {:?};
            const from = (await ask({{ log, sources: [], search: '', onlyMatches: false, offset: 0, limit: 1 }})).next;
            window.towlineOthers = new Set();
            window.towlineLook = async () => {{
                const sources = ['programErr', 'agent', 'pod', 'towline'];
                const page = await ask({{ log, sources, search: '', onlyMatches: false, offset: null, limit: 1000 }});
                for (const {{ number }} of page.lines) if (number >= from) towlineOthers.add(number);
            }};
            clearInterval(window.towlineTimer);
            window.towlineTimer = setInterval(towlineLook, 500);
            return from;
            ",
            self.id
        );
        page::answer(self.window, &script).await?.as_u64().context("the next line's number")
    }

    /// Begins to wait for the line of this number to be the last on the screen.
    async fn expect(&self, number: u64) -> Result<()> {
        let condition = format!(
            "{{
                const lines = document.querySelectorAll('[data-testid=log-text]');
                return lines[lines.length - 1]?.textContent.startsWith({:?}) ?? false;
            }}",
            beginning(number)
        );
        page::expect(self.window, &condition).await
    }

    /// How many of the `count` lines that the program has written since `before` are not there: neither kept nor let go by the ring. Those that are kept must be
    /// the last ones, in their order, without a gap.
    async fn lost(&self, before: u64, count: u64) -> Result<i64> {
        let script = format!(
            "
            const log = {:?};
            clearInterval(window.towlineTimer);
            await towlineLook();
            const numbers = [];
            const asked = {{ log, sources: ['programOut'], search: '', onlyMatches: false, limit: 1000 }};
            let page;
            for (let offset = 0; offset === 0 || offset < page.shown; offset += 1000) {{
                page = await ask({{ ...asked, offset }});
                for (const {{ text }} of page.lines) numbers.push(Number(text.split(' ')[1]));
            }}
            return {{ next: page.next, others: towlineOthers.size, numbers: numbers.slice(-{count}) }};
            ",
            self.id
        );
        let answer = eventually("the whole log", || async {
            Ok(Some(page::answer(self.window, &script).await?))
        })
        .await?;
        let numbers = answer["numbers"].as_array().context("the numbers of the lines")?;
        let numbers: Vec<u64> = numbers.iter().filter_map(Value::as_u64).collect();
        let first = count + 1 - numbers.len() as u64;
        ensure!(
            numbers.len() as u64 > KEPT.min(count) * 9 / 10,
            "{} lines are kept",
            numbers.len()
        );
        ensure!(
            numbers.iter().copied().eq(first..=count),
            "the kept lines are not the last {} of {count}: {:?} to {:?}",
            numbers.len(),
            numbers.first(),
            numbers.last()
        );
        let number = |name: &str| answer[name].as_u64().with_context(|| name.to_owned());
        let came = number("next")? - before - number("others")?;
        Ok(count as i64 - came as i64)
    }
}
