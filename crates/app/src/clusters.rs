//! Clusters for whoever needs one.

use futures::future::BoxFuture;
use towline_core::cluster::Cluster;

use crate::view::Report;

/// Gives the cluster of a context: the one that is open already, else a newly opened one. Called only where the user asked for something that needs it.
pub trait Clusters: Send + Sync {
    /// The cluster of `context`.
    fn cluster(&self, context: &str) -> BoxFuture<'static, Result<Cluster, Report>>;
}
