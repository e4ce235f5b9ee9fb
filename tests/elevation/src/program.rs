//! A program of a user's, told what to do line by line (`src/bin/towline-elevation-probe.rs` has the words).

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::say;

/// It ends when this is dropped.
pub struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
    /// Its number on the machine.
    pub pid: u32,
}

impl Program {
    pub(crate) fn start(mut command: Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().context("its output is kept")?;
        let mut program = Self { child, output: BufReader::new(output), pid: 0 };
        let hello = program.hear()?;
        program.pid = hello.strip_prefix("pid ").context("it says its number first")?.parse()?;
        Ok(program)
    }

    /// Tells it to do something, and what it answers.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn ask(&mut self, words: &str) -> Result<String> {
        self.tell(words)?;
        self.hear()
    }

    /// Tells it to do something that must go well.
    ///
    /// # Errors
    ///
    /// When it does not, with what went wrong.
    pub fn order(&mut self, words: &str) -> Result<()> {
        let answer = self.ask(words)?;
        ensure!(answer == "ok", "{words}: {answer}");
        Ok(())
    }

    /// Tells it something without waiting for the answer.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn tell(&mut self, words: &str) -> Result<()> {
        say(&mut self.child, words)
    }

    /// The next answer.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn hear(&mut self) -> Result<String> {
        let mut line = String::new();
        let length = self.output.read_line(&mut line)?;
        ensure!(length > 0, "the program has ended");
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The end of its input is its end.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
