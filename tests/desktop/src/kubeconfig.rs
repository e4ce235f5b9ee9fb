//! Kubeconfigs for the window.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;
use towline_cluster_tests::namespace::Namespace;

/// The administrator's kubeconfig, with one context of this name that begins in the test's namespace.
///
/// # Errors
/// When there is no kubeconfig.
pub async fn for_window(namespace: &Namespace, context: &str) -> Result<PathBuf> {
    namespace
        .kubeconfig_with("window", |config| {
            config["contexts"][0]["name"] = context.into();
            config["contexts"][0]["context"]["namespace"] = namespace.name.as_str().into();
            config["current-context"] = context.into();
        })
        .await
}

/// As [`for_window`], for the user of this token.
///
/// # Errors
/// When there is no kubeconfig.
pub async fn for_user(namespace: &Namespace, context: &str, token: &str) -> Result<PathBuf> {
    namespace
        .kubeconfig_with(context, |config| {
            config["contexts"][0]["name"] = context.into();
            config["contexts"][0]["context"]["namespace"] = namespace.name.as_str().into();
            config["current-context"] = context.into();
            config["users"][0]["user"] = json!({"token": token});
        })
        .await
}
