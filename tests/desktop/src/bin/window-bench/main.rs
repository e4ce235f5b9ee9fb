//! The window measured: from the start to the first paint, memory, first rows, a cluster that changes all the time, a program that never stops writing.
//! Run it by `cargo xtask bench window`.
//!
//! `run` conducts, through the real window on a display that nobody sees; `lines` is the local program of the session whose log is measured.

mod changes;
mod crowd;
mod lines;
mod logs;
mod many;
mod page;
mod processes;
mod report;
mod screen;
mod start;
mod sweep;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, ValueEnum};

use crate::crowd::Size;

#[derive(Parser)]
#[command(about)]
enum Command {
    /// Measures and prints the table.
    Run {
        /// What is measured; everything without.
        part: Option<Part>,
        /// How many pods the large cluster has.
        #[arg(long, default_value_t = 5_000)]
        pods: u32,
        /// How many services the large cluster has.
        #[arg(long, default_value_t = 500)]
        services: u32,
    },
    /// Writes numbered lines at the pace that it is told to.
    Lines {
        /// Where it is told.
        socket: PathBuf,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The start, and an idle window.
    Start,
    /// A program that writes all the time.
    Logs,
    /// A large cluster.
    Many,
}

#[tokio::main]
async fn main() -> Result<()> {
    match Command::parse() {
        Command::Lines { socket } => lines::write(&socket),
        Command::Run { part, pods, services } => run(part, Size { pods, services }).await,
    }
}

async fn run(part: Option<Part>, size: Size) -> Result<()> {
    let _alone = sweep::alone()?;
    sweep::sweep().await?;
    let mut report = report::Report::default();
    // What was measured is told even if a later part fails.
    let result = parts(part, size, &mut report).await;
    println!("{}", report.text());
    result
}

async fn parts(part: Option<Part>, size: Size, report: &mut report::Report) -> Result<()> {
    let wanted = |one| part.is_none_or(|part| part == one);
    if wanted(Part::Start) {
        eprintln!("the start, and an idle window");
        start::measure(report).await?;
    }
    if wanted(Part::Logs) {
        eprintln!("a program that writes all the time");
        logs::measure(report).await?;
    }
    if wanted(Part::Many) {
        eprintln!("{} pods and {} services", size.pods, size.services);
        many::measure(size, report).await?;
    }
    Ok(())
}
