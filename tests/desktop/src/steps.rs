//! What a user does, step by step.

use anyhow::{Context, Result};
use towline_cluster_tests::here::free_port;

use crate::window::{Mark, Window, mark};

/// How the local program is started, for the launcher.
#[derive(Clone, Debug)]
pub struct Program {
    /// The command line.
    pub line: String,
    /// The container's port.
    pub remote: u16,
    /// The local port.
    pub local: u16,
}

impl Program {
    /// One that only waits to be ended, in the place of what listens on 8080.
    ///
    /// # Errors
    /// When no port is free for it.
    pub async fn sleeping() -> Result<Self> {
        Ok(Self { line: "sleep 3600".to_owned(), remote: 8080, local: free_port().await? })
    }
}

impl Window {
    /// Connects the cluster of a context, which must work.
    ///
    /// # Errors
    /// When it does not.
    pub async fn pick_cluster(&self, context: &str) -> Result<()> {
        self.click(&mark("context-connect").with("data-context", context)).await?;
        self.find(&mark("cluster").with("data-state", "connected")).await?;
        Ok(())
    }

    /// Finds a service in the table and opens the launcher for it, by the keyboard.
    ///
    /// # Errors
    /// When it is not listed.
    pub async fn redirect(&self, service: &str) -> Result<()> {
        self.click(&mark("tab-services")).await?;
        self.fill(&mark("filter"), service).await?;
        self.click(&mark("row").with("data-name", service)).await?;
        self.type_to(&mark("table"), "r").await?;
        self.find(&mark("launcher")).await?;
        Ok(())
    }

    /// Fills the launcher and waits until the review has read a plan that can be followed.
    ///
    /// # Errors
    /// When something stands in the way.
    pub async fn prepare(&self, program: &Program) -> Result<()> {
        self.fill_in(program).await?;
        self.find(&review("ready")).await?;
        Ok(())
    }

    /// Fills the launcher.
    ///
    /// # Errors
    /// When a field does not come.
    pub async fn fill_in(&self, program: &Program) -> Result<()> {
        let command = mark("launch-command");
        self.click_until(&mark("launch-program-command"), &command).await?;
        self.fill(&command, &program.line).await?;
        let port = mark("launch-port").with("data-remote", &program.remote.to_string());
        self.fill(&port, &program.local.to_string()).await
    }

    /// Chooses the mode in which services have their own names and ports, and waits until the review has read a plan for it.
    ///
    /// # Errors
    /// When something stands in the way.
    pub async fn by_names(&self) -> Result<()> {
        self.click(&mark("launch-mode-hostsFile")).await?;
        self.find(&review("ready")).await?;
        Ok(())
    }

    /// Chooses for how many seconds the cluster waits for this machine, and waits until the review has read a plan for it.
    ///
    /// # Errors
    /// When something stands in the way.
    pub async fn lease(&self, seconds: u32) -> Result<()> {
        self.click(&mark("launch-options").child("summary")).await?;
        self.fill(&mark("launch-lease"), &seconds.to_string()).await?;
        self.find(&review("ready")).await?;
        Ok(())
    }

    /// Presses Connect and waits for the session; gives its id.
    ///
    /// # Errors
    /// When it does not come about.
    pub async fn connect(&self) -> Result<String> {
        self.click(&mark("launch-connect")).await?;
        self.connected().await
    }

    /// Presses Connect, is told what the administrator's rights are for, and goes on to the system's own question; gives what was told.
    ///
    /// # Errors
    /// When it is not told.
    pub async fn ask_for_rights(&self) -> Result<String> {
        self.click(&mark("launch-connect")).await?;
        let told =
            self.text(&mark("rights-dialog"), |text| text.contains("towline-helper")).await?;
        self.click(&mark("rights-confirm")).await?;
        Ok(told)
    }

    /// Waits for the session; gives its id.
    ///
    /// # Errors
    /// When it does not come about.
    pub async fn connected(&self) -> Result<String> {
        let session = self.find(&session("connected")).await?;
        session.attr("data-session").await?.context("the session's id")
    }

    /// Lets the window try the service's port on this machine, in an open session.
    ///
    /// # Errors
    /// When the service is not reached.
    pub async fn reaches(&self, service: &str) -> Result<()> {
        self.click(&mark("tab-dns")).await?;
        let row = mark("listener").with("data-service", service);
        self.click(&mark("listener-test").inside(&row)).await?;
        self.find(&mark("listener-result").inside(&row).with("data-reached", "true")).await?;
        Ok(())
    }

    /// Presses Stop and waits for the end; gives what the window says of it.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn stop(&self) -> Result<String> {
        self.click(&mark("session-stop")).await?;
        self.find(&session("ended")).await?;
        self.text(&mark("session-ending"), |text| !text.is_empty()).await
    }
}

/// The launcher's review in this state.
pub fn review(state: &str) -> Mark {
    mark("launch-review").with("data-state", state)
}

/// The session's screen in this phase.
pub fn session(phase: &str) -> Mark {
    mark("session").with("data-state", phase)
}
