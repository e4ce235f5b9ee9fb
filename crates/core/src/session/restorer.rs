//! The restorer: what puts the workload back when this client is gone. It runs before the workload is touched, and so also shows whether
//! the agent's image can be pulled.

use std::time::Duration;

use futures::{StreamExt, pin_mut};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::Api;
use kube::api::ListParams;
use kube::runtime::watcher;
use tokio::time::{Instant, MissedTickBehavior};
use towline_workload::names::session_object_name;
use towline_workload::objects;

use super::cause::{self, Cause};
use super::error::SessionError;
use super::follow::follow;
use super::lease::is;
use super::suspicion::{Suspicion, Warnings};
use crate::cluster::Cluster;
use crate::plan::Plan;

/// How often the events are asked while the pod does not come.
const ASK_EVENTS: Duration = Duration::from_secs(2);

/// How often the pod's events are looked at for its start.
const GLANCE: Duration = Duration::from_millis(100);

/// Creates the restorer's objects and waits until it runs.
pub(super) async fn start(
    cluster: &Cluster,
    plan: &Plan,
    lease: &Lease,
) -> Result<(), SessionError> {
    let namespace = &plan.workload.namespace;
    let name = session_object_name(plan.session.as_str());
    let about = vec![("Pod", name.clone()), ("Job", name)];
    let warnings = Warnings::from_now(cluster.client(), namespace, about).await;
    for object in objects::restorer(&plan.workload, &plan.record, lease, &plan.agent) {
        match object.create(cluster.client(), namespace).await {
            Ok(()) => {}
            // The answer to an earlier try was lost; the name holds the session's id.
            Err(error) if is(&error, 409) => {}
            Err(error) => {
                let kind = object.resource.kind.to_lowercase();
                let doing = format!(
                    "create the restorer's {kind} {} in namespace {namespace}",
                    object.name()
                );
                return Err(cluster.explain(doing, error).into());
            }
        }
    }
    running(cluster, plan, warnings).await
}

async fn running(
    cluster: &Cluster,
    plan: &Plan,
    mut warnings: Warnings,
) -> Result<(), SessionError> {
    let namespace = &plan.workload.namespace;
    let name = session_object_name(plan.session.as_str());
    let api: Api<Pod> = Api::namespaced(cluster.client(), namespace);
    let pods = follow(api, watcher::Config::default().labels(&format!("job-name={name}")));
    pin_mut!(pods);
    let began = Instant::now();
    let mut ask = tokio::time::interval_at(began + ASK_EVENTS, ASK_EVENTS);
    ask.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut glance = tokio::time::interval(GLANCE);
    glance.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pod: Option<String> = None;
    let mut suspicion = Suspicion::default();
    loop {
        tokio::select! {
            Some(Ok(seen)) = pods.next() => {
                if seen.values().any(is_running) {
                    return Ok(());
                }
                pod = seen.keys().next_back().cloned();
                suspicion.note_status(seen.values().find_map(cause::of_pod), Instant::now());
            }
            _ = glance.tick(), if pod.is_some() => {
                if let Some(name) = &pod && has_started(cluster, namespace, name).await {
                    return Ok(());
                }
            }
            _ = ask.tick() => {
                for cause in warnings.fresh().await {
                    suspicion.note_event(cause, Instant::now());
                }
            }
            () = tokio::time::sleep_until(began + plan.request.timeout) => {
                return Err(failed(plan, suspicion.likeliest().cloned().unwrap_or_else(cause::slow)));
            }
        }
        if let Some(cause) = suspicion.hopeless(Instant::now()) {
            return Err(failed(plan, cause.clone()));
        }
    }
}

/// The kubelet tells that it has started a container at once, and writes the pod's status up to a second later.
async fn has_started(cluster: &Cluster, namespace: &str, pod: &str) -> bool {
    let api: Api<Event> = Api::namespaced(cluster.client(), namespace);
    let started =
        ListParams::default().fields(&format!("involvedObject.name={pod},reason=Started"));
    // Who may not read events waits for the status.
    api.list(&started).await.is_ok_and(|list| !list.items.is_empty())
}

fn is_running(pod: &Pod) -> bool {
    let Some(status) = &pod.status else { return false };
    let mut containers = status.container_statuses.iter().flatten();
    containers.any(|status| status.state.as_ref().is_some_and(|state| state.running.is_some()))
}

fn failed(plan: &Plan, cause: Cause) -> SessionError {
    SessionError::NotStarted {
        whose: format!("The restorer of {}", plan.workload),
        hint: cause.hint(),
        cause: cause.message,
    }
}
