//! What must hold of every connection that Towline carries, whichever way it goes.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::eventually;
use crate::peer::{Side, call};
use crate::towline::Connected;

/// The way to a peer: where the caller runs, and how it reaches each mode.
pub struct Route {
    side: Side,
    host: String,
    ports: BTreeMap<String, u16>,
}

/// One GiB.
const GIB: u64 = 1 << 30;

impl Route {
    /// From `side`, to `host`, with the port of each mode.
    pub fn new<'a>(
        side: Side,
        host: &str,
        ports: impl IntoIterator<Item = (&'a str, u16)>,
    ) -> Self {
        let ports = ports.into_iter().map(|(mode, port)| (mode.to_owned(), port)).collect();
        Self { side, host: host.to_owned(), ports }
    }

    /// The port of a mode.
    ///
    /// # Errors
    /// When the route has none.
    pub fn port(&self, mode: &str) -> Result<u16> {
        self.ports.get(mode).copied().with_context(|| format!("the route has no port for {mode}"))
    }

    async fn call(&self, mode: &str, arguments: &[String]) -> Result<Value> {
        call(self.side, &self.host, self.port(mode)?, mode, arguments).await
    }

    fn told(&self) -> Result<String> {
        Ok(self.port("told")?.to_string())
    }

    /// Server-speaks-first, both half-closes, resets seen as resets and ends as ends both ways, and a WebSocket.
    ///
    /// # Errors
    /// With the first rule that does not hold.
    pub async fn protocols(&self) -> Result<()> {
        let banner = self.call("banner", &[]).await.context("a server that speaks first")?;
        let expected = json!({"greeting": "220 the peer speaks first", "answer": "250 HELO caller", "rest": ""});
        ensure!(banner == expected, "a server that speaks first: {banner}");

        self.upload(100_000).await.context("an answer after the caller's half-close")?;
        self.upload(0)
            .await
            .context("an answer after the caller's half-close, without a byte before it")?;
        self.download(100_000).await.context("bytes after the server's half-close")?;
        self.download(0)
            .await
            .context("bytes after the server's half-close, without a byte before it")?;

        let reset = self.call("reset", &[]).await?;
        ensure!(reset["outcome"] == "reset", "the server's reset at the caller: {reset}");
        for (how, seen) in [("reset", "reset"), ("close", "closed")] {
            let fate = self.call("fate", &[how.to_owned(), self.told()?]).await?;
            ensure!(fate["told"] == seen, "the caller's {how} at the server: {fate}");
        }

        let frames = self.call("websocket", &[]).await.context("a WebSocket")?;
        let fields = frames.as_object().context("an object")?;
        ensure!(fields["status"] == "HTTP/1.1 101 Switching Protocols", "the upgrade: {frames}");
        ensure!(
            fields.iter().all(|(key, right)| key == "status" || right == true),
            "a WebSocket's frames: {frames}"
        );
        Ok(())
    }

    /// So many bytes to the server, their SHA-256 compared.
    ///
    /// # Errors
    /// When they are not the same at both ends.
    pub async fn upload(&self, bytes: u64) -> Result<()> {
        let seen = self.call("digest", &[bytes.to_string()]).await?;
        ensure!(seen["sent"] == seen["answer"], "sent and received differ: {seen}");
        Ok(())
    }

    /// So many bytes from the server, their SHA-256 compared, and some back after its half-close.
    ///
    /// # Errors
    /// When they are not the same at both ends.
    pub async fn download(&self, bytes: u64) -> Result<()> {
        let seen = self.call("source", &[bytes.to_string(), self.told()?]).await?;
        ensure!(
            seen["count"] == bytes && seen["told"] == seen["expected"],
            "sent and received differ: {seen}"
        );
        Ok(())
    }

    /// So many connections open at once, each of which must get its own bytes back.
    ///
    /// # Errors
    /// When one does not.
    pub async fn many(&self, count: usize) -> Result<()> {
        let seen =
            call(self.side, &self.host, self.port("echo")?, "many", &[count.to_string()]).await?;
        ensure!(seen["right"] == count, "of {count} connections only these were right: {seen}");
        Ok(())
    }

    /// 500 connections at once, then 1 GiB each way at the same time; afterwards nothing of it may be left in `session`: neither file
    /// descriptors nor, at any time, more memory than bounded queues need.
    ///
    /// # Errors
    /// When a byte is not what it was, or something is left.
    pub async fn load(&self, session: &Connected) -> Result<()> {
        let files = session.open_files()?;
        self.many(500).await?;
        let both = futures::future::try_join(self.upload(GIB), self.download(GIB)).await;
        both.context("1 GiB each way")?;
        eventually("the connections' file descriptors are closed", || async {
            let now = session.open_files()?;
            ensure!(now <= files + 10, "{files} before, {now} now");
            Ok(Some(()))
        })
        .await?;
        let memory = session.most_memory()?;
        ensure!(memory < 256 * 1024, "towline took {memory} KiB of memory");
        Ok(())
    }

    /// A connection to where nobody listens: refused or reset within 2 s.
    ///
    /// # Errors
    /// When it hangs or is accepted.
    pub async fn refused(&self, mode: &str) -> Result<()> {
        let seen = call(self.side, &self.host, self.port(mode)?, "refused", &[]).await?;
        let quick = seen["ms"].as_u64().is_some_and(|ms| ms < 2000);
        ensure!(
            ["refused", "reset"].map(Value::from).contains(&seen["outcome"]) && quick,
            "nobody listens: {seen}"
        );
        Ok(())
    }
}
