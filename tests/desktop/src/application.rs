//! The application, started and driven by WebDriver.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use fantoccini::ClientBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tokio::process::Child;
use towline_cluster_tests::eventually;
use towline_cluster_tests::namespace::Namespace;

use crate::desktop::Desktop;
use crate::gate::Gate;
use crate::ground::Ground;
use crate::kubeconfig::for_window;
use crate::process;
use crate::window::Window;

/// The application on a desktop.
pub struct Application<'d> {
    /// Its window.
    pub window: Window,
    /// Its process.
    pub id: u32,
    desktop: &'d Desktop,
    _driver: Child,
    /// To the driver, where that has a network of its own.
    _gate: Option<Gate>,
}

impl<'d> Application<'d> {
    /// Starts it with this kubeconfig, and waits until its window is shown.
    ///
    /// # Errors
    /// When it does not start; with what it wrote.
    pub async fn start(desktop: &'d Desktop, kubeconfig: &Path) -> Result<Self> {
        Self::start_program(desktop, &desktop.ground.application()?, kubeconfig).await
    }

    /// Starts it with the administrator's kubeconfig, connects the cluster, and opens the launcher for a service of this namespace.
    ///
    /// # Errors
    /// When it does not start, or the service is not listed.
    pub async fn launching(
        desktop: &'d Desktop,
        namespace: &Namespace,
        service: &str,
    ) -> Result<Self> {
        let kubeconfig = for_window(namespace, "sandbox").await?;
        let application = Self::start(desktop, &kubeconfig).await?;
        application.window.pick_cluster("sandbox").await?;
        application.window.redirect(service).await?;
        Ok(application)
    }

    /// As [`Application::start`], with another build of it.
    ///
    /// # Errors
    /// When it does not start; with what it wrote.
    pub async fn start_program(
        desktop: &'d Desktop,
        program: &Path,
        kubeconfig: &Path,
    ) -> Result<Self> {
        let log = desktop.home.path().join("application.log");
        let started = Self::try_start(desktop, program, kubeconfig, &log).await;
        started.with_context(|| {
            format!(
                "start the application; it wrote: {}",
                fs::read_to_string(&log).unwrap_or_default()
            )
        })
    }

    async fn try_start(
        desktop: &'d Desktop,
        program: &Path,
        kubeconfig: &Path,
        log: &Path,
    ) -> Result<Self> {
        let (port, native_port) = two_free_ports()?;
        let output = File::options().create(true).append(true).open(log)?;
        let mut driver = desktop.ground.command(desktop.ground.driver()?);
        driver
            .args(["--port", &port.to_string(), "--native-port", &native_port.to_string()])
            .args(["--native-driver", "/usr/bin/WebKitWebDriver"])
            .stdout(output.try_clone()?)
            .stderr(output);
        let kubeconfig = desktop.readable(kubeconfig)?;
        desktop.tell(&mut driver).env("KUBECONFIG", kubeconfig).env("RUST_BACKTRACE", "1");
        let driver = driver.spawn().context("start tauri-driver")?;

        let capabilities = json!({"tauri:options": {"application": program}});
        let capabilities = capabilities.as_object().cloned().context("an object")?;
        let gate = match &desktop.ground {
            Ground::Machine(own) => Some(own.gate(port)?),
            Ground::Here | Ground::OwnHosts(_) => None,
        };
        let port = gate.as_ref().map_or(port, |gate| gate.port);
        let url = format!("http://127.0.0.1:{port}");
        let client = eventually("a session with the WebDriver", || async {
            let mut connector = ClientBuilder::new(HttpConnector::new());
            Ok(Some(connector.capabilities(capabilities.clone()).connect(&url).await?))
        })
        .await?;
        let id = desktop.running(program);
        ensure!(id.len() == 1, "one application is running, not {id:?}");
        eventually("the window is shown", || async {
            Ok(desktop.shows_window().await?.then_some(()))
        })
        .await?;
        Ok(Self { window: Window::new(client), id: id[0], desktop, _driver: driver, _gate: gate })
    }

    /// Starts the program a second time, as from the menu of the desktop, and waits until that process has ended.
    ///
    /// # Errors
    /// When it goes on beside the first.
    pub async fn start_again(&self) -> Result<()> {
        let mut second = self.desktop.ground.command(self.desktop.ground.application()?);
        self.desktop.tell(&mut second).stdout(Stdio::null()).stderr(Stdio::null());
        let status = tokio::time::timeout(towline_cluster_tests::LIMIT, second.status())
            .await
            .context("the second start does not end")??;
        ensure!(status.success(), "the second start ended with {status}");
        Ok(())
    }

    /// Waits until the process has ended.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ended(&self) -> Result<()> {
        eventually("the application ends", || async { Ok((!process::runs(self.id)).then_some(())) })
            .await
    }

    /// Ends it as the system does at the end of a desktop session.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn terminate(&self) -> Result<()> {
        process::signal(self.id, "TERM")?;
        self.ended().await
    }
}

/// Two different ports that nobody has at the moment.
fn two_free_ports() -> Result<(u16, u16)> {
    let bind = || TcpListener::bind(("127.0.0.1", 0));
    let (first, second) = (bind()?, bind()?);
    Ok((first.local_addr()?.port(), second.local_addr()?.port()))
}
