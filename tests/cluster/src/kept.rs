//! A connection that stays open while things happen to the network.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The caller, as a program for `python3 -c`; its arguments are host, port and the seconds of silence after which it gives an answer up.
pub const PROGRAM: &str = include_str!("programs/kept.py");

/// An open HTTP connection. Closed when dropped.
pub struct Kept {
    _child: Child,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Kept {
    /// Opens one by starting `command`, which runs [`PROGRAM`] somewhere; it must be answered at once.
    ///
    /// # Errors
    /// When it is not.
    pub async fn open(mut command: Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let requests = child.stdin.take().context("standard input")?;
        let answers = BufReader::new(child.stdout.take().context("standard output")?).lines();
        let mut kept = Self { _child: child, requests, answers };
        let told = kept.ask().await?;
        ensure!(told.starts_with("answer "), "a new connection: {told}");
        Ok(kept)
    }

    /// One more request over it: `answer TEXT`, `closed`, `reset` or `silent`.
    ///
    /// # Errors
    /// When the caller has ended.
    pub async fn ask(&mut self) -> Result<String> {
        self.requests.write_all(b"\n").await?;
        self.answers.next_line().await?.context("the caller ended")
    }
}
