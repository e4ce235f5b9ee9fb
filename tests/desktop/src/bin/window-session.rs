//! One session on the sample application through the window, without anybody watching: `cargo xtask demo --headless`.
//!
//! Connects `orders` to a local `orders.py` and writes `connected`. When its standard input ends, it keeps a picture of the session, stops it, writes
//! `picture PATH` and `stopped`.

use std::io::{Read, stdin};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use towline_cluster_tests::here::free_port;
use towline_cluster_tests::shop::shop;
use towline_desktop_tests::application::Application;
use towline_desktop_tests::desktop::Desktop;
use towline_desktop_tests::steps::Program;
use towline_desktop_tests::window::mark;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kubeconfig, context] = &arguments[..] else {
        anyhow::bail!("usage: window-session KUBECONFIG CONTEXT");
    };
    let desktop = Desktop::start().await?;
    let application = Application::start(&desktop, Path::new(kubeconfig)).await?;
    let window = &application.window;
    window.pick_cluster(context).await?;
    window.redirect("orders").await?;
    let local = free_port().await?;
    let program = shop().join("orders.py").canonicalize()?;
    let line = format!("env PORT={local} python3 {}", program.display());
    window.prepare(&Program { line, remote: 8080, local }).await?;
    window.connect().await?;
    println!("connected");

    let ended = tokio::task::spawn_blocking(|| stdin().read_to_end(&mut Vec::new()));
    ended.await?.context("wait for the end of standard input")?;
    window.click(&mark("tab-traffic")).await?;
    window.find(&mark("connection")).await?;
    let picture = window.picture("demo").await?;
    println!("picture {}", picture.display());
    let ending = window.stop().await?;
    ensure!(ending.contains("orders"), "the window does not say what became of orders: {ending}");
    println!("stopped");
    application.terminate().await
}
