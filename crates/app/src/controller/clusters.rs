//! Clusters and their rows.

use super::Controller;
use crate::view::{Report, RowsPage, RowsQuery};

impl Controller {
    /// Opens the cluster of a context and begins to watch `namespaces` (empty: the context's own). Returns at once; frames tell.
    ///
    /// # Errors
    /// When no kubeconfig has such a context.
    pub fn connect_cluster(&self, context: &str, namespaces: Vec<String>) -> Result<(), Report> {
        self.parts.explorer.connect(context, namespaces)
    }

    /// Lets a cluster go. Its sessions go on.
    ///
    /// # Errors
    /// None at present.
    pub fn disconnect_cluster(&self, context: &str) -> Result<(), Report> {
        self.parts.explorer.disconnect(context);
        Ok(())
    }

    /// Chooses the namespaces that are watched; empty: all of them.
    ///
    /// # Errors
    /// When the cluster is not connected.
    pub fn watch_namespaces(&self, context: &str, namespaces: Vec<String>) -> Result<(), Report> {
        self.parts.explorer.watch_namespaces(context, namespaces)
    }

    /// A part of a table.
    ///
    /// # Errors
    /// When the cluster is not connected.
    pub fn rows(&self, query: &RowsQuery) -> Result<RowsPage, Report> {
        self.parts.explorer.rows(query)
    }
}
