//! What a user does, step by step.

use anyhow::{Context, Result};

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

    /// Presses Connect and waits for the session; gives its id.
    ///
    /// # Errors
    /// When it does not come about.
    pub async fn connect(&self) -> Result<String> {
        self.click(&mark("launch-connect")).await?;
        let session = self.find(&session("connected")).await?;
        session.attr("data-session").await?.context("the session's id")
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
