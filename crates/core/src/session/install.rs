//! The one write that puts the agent in place, together with the way back.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use kube::runtime::wait::{await_condition, conditions::is_deleted};
use serde_json::Value;
use towline_workload::names::FIELD_MANAGER;
use towline_workload::{
    Expect, Kind, RestoreError, adopt_admitted, bare_pod, install, is_installed, objects, restore,
    reverse, workload_value,
};

use super::error::SessionError;
use super::lease::is;
use crate::cluster::Cluster;
use crate::plan::Plan;

/// Controllers write the status of a workload a few times in a rollout; nobody writes its spec twenty times.
const ATTEMPTS: usize = 20;

/// How long a bare pod may take to end, its own grace period included.
const POD_GONE: Duration = Duration::from_secs(120);

/// Puts the agent in place. Returns the workload as the server has it then.
pub(super) async fn put(
    cluster: &Cluster,
    plan: &Plan,
    lease: &Lease,
) -> Result<Value, SessionError> {
    match plan.workload.kind {
        Kind::Pod => recreate(cluster, plan, lease).await,
        _ => patch(cluster, plan).await,
    }
}

async fn patch(cluster: &Cluster, plan: &Plan) -> Result<Value, SessionError> {
    let api = plan.workload.api(cluster.client());
    let parameters =
        PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let mut refused_at: Option<Value> = None;
    for _ in 0..ATTEMPTS {
        let value = read(cluster, plan).await?;
        if is_installed(&value).is_some_and(|record| record.id == plan.record.id) {
            // The answer to an earlier try was lost.
            return Ok(value);
        }
        let (patch, _) = installation(plan, &value)?;
        let patch: Patch<DynamicObject> = Patch::Json(patch);
        match api.patch(&plan.workload.name, &parameters, &patch).await {
            Ok(object) => return adopt(cluster, plan, to_value(object)).await,
            Err(error) if is(&error, 409) => {}
            // A failed test is answered so, and so is a field that the server does not want: the version tells which it was.
            Err(error) if is(&error, 422) && refused_at.as_ref() != Some(version(&value)) => {
                refused_at = Some(version(&value).clone());
            }
            Err(error) => {
                return Err(cluster
                    .explain(format!("put the agent into {}", plan.workload), error)
                    .into());
            }
        }
    }
    let what = format!("it was written {ATTEMPTS} times while the agent was being put in");
    Err(SessionError::Changed { workload: plan.workload.clone(), what })
}

async fn read(cluster: &Cluster, plan: &Plan) -> Result<Value, SessionError> {
    let value = workload_value(&cluster.client(), &plan.workload).await?;
    let value = value.ok_or_else(|| changed(plan, "it was deleted"))?;
    unchanged(plan, &value)?;
    Ok(value)
}

/// One patch: takes an earlier session's agent out, where there is one, and puts ours in, so that the original stays the first one.
fn installation(plan: &Plan, value: &Value) -> Result<(json_patch::Patch, Value), SessionError> {
    let reversal = reverse(value).map_err(|error| changed(plan, &error.to_string()))?;
    let installation = install(&reversal.restored, &plan.container, &plan.agent, &plan.record)
        .map_err(|source| SessionError::Install {
            workload: plan.workload.clone(),
            source: Box::new(source),
        })?;
    let mut steps = reversal.patch.map(|patch| patch.0).unwrap_or_default();
    steps.extend(installation.patch.0);
    Ok((json_patch::Patch(steps), installation.desired))
}

/// Whether the workload is still the one that the plan was made for, in all that a plan depends on.
fn unchanged(plan: &Plan, value: &Value) -> Result<(), SessionError> {
    if value.pointer("/metadata/uid") != plan.base.pointer("/metadata/uid") {
        return Err(changed(plan, "it was deleted and created again"));
    }
    if value.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null()) {
        return Err(changed(plan, "it is being deleted"));
    }
    let spec = |value: &Value| -> Option<Value> {
        let mut spec = reverse(value).ok()?.restored.get("spec")?.clone();
        // An autoscaler's business, and no reason to ask again.
        spec.as_object_mut()?.remove("replicas");
        Some(spec)
    };
    if spec(value) != spec(&plan.base) {
        return Err(changed(plan, "its spec is another"));
    }
    Ok(())
}

/// Where admission has changed what we wrote, the way back must know it, or it would take that for somebody's change.
async fn adopt(cluster: &Cluster, plan: &Plan, mut value: Value) -> Result<Value, SessionError> {
    let api = plan.workload.api(cluster.client());
    let parameters =
        PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    for _ in 0..ATTEMPTS {
        let Some(patch) = adopt_admitted(&value) else { return Ok(value) };
        match api
            .patch(&plan.workload.name, &parameters, &Patch::<DynamicObject>::Json(patch))
            .await
        {
            Ok(object) => return Ok(to_value(object)),
            Err(error) if is(&error, 409) || is(&error, 422) => {
                let read = workload_value(&cluster.client(), &plan.workload).await?;
                value = read.ok_or_else(|| changed(plan, "it was deleted"))?;
            }
            Err(error) => {
                let doing = format!("note what admission made of {}", plan.workload);
                return Err(cluster.explain(doing, error).into());
            }
        }
    }
    Ok(value)
}

/// A pod without a controller is deleted and created again under its name.
async fn recreate(cluster: &Cluster, plan: &Plan, lease: &Lease) -> Result<Value, SessionError> {
    let (client, workload) = (cluster.client(), &plan.workload);
    let mut value =
        workload_value(&client, workload).await?.ok_or_else(|| changed(plan, "it was deleted"))?;
    match is_installed(&value) {
        Some(record) if record.id == plan.record.id => return Ok(value),
        Some(_) => {
            restore(&client, workload, &Expect::Any)
                .await
                .map_err(|error| restoring(plan, error))?;
            value = workload_value(&client, workload)
                .await?
                .ok_or_else(|| changed(plan, "it was deleted"))?;
        }
        None => unchanged(plan, &value)?,
    }
    let pod = bare_pod(&value, &plan.container, &plan.agent, &plan.record).map_err(|source| {
        SessionError::Install { workload: workload.clone(), source: Box::new(source) }
    })?;
    let failed = |doing: &str| {
        let doing = format!("{doing} {workload}");
        move |error| SessionError::from(cluster.explain(doing, error))
    };
    let secret = objects::pod_secret(workload, &plan.record, lease, &pod.kept);
    match secret.create(client.clone(), &workload.namespace).await {
        Err(error) if !is(&error, 409) => return Err(failed("keep the manifest of")(error)),
        _ => {}
    }
    let api: Api<Pod> = Api::namespaced(client.clone(), &workload.namespace);
    let uid = value.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned();
    let same = Preconditions { uid: Some(uid.clone()), resource_version: None };
    match api.delete(&workload.name, &DeleteParams::default().preconditions(same)).await {
        Err(error) if !is(&error, 404) => return Err(failed("delete")(error)),
        _ => {}
    }
    let gone = await_condition(api, &workload.name, is_deleted(&uid));
    if tokio::time::timeout(POD_GONE, gone).await.is_err() {
        return Err(changed(
            plan,
            &format!("it did not end within {} s of being deleted", POD_GONE.as_secs()),
        ));
    }
    let manifest: DynamicObject =
        serde_json::from_value(pod.agent).map_err(|error| changed(plan, &error.to_string()))?;
    let parameters =
        PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    let created = workload.api(client).create(&parameters, &manifest).await;
    created.map(to_value).map_err(failed("create the agent in the place of"))
}

fn restoring(plan: &Plan, error: RestoreError) -> SessionError {
    changed(plan, &format!("the earlier session on it could not be ended: {error}"))
}

fn changed(plan: &Plan, what: &str) -> SessionError {
    SessionError::Changed { workload: plan.workload.clone(), what: what.to_owned() }
}

fn version(value: &Value) -> &Value {
    value.pointer("/metadata/resourceVersion").unwrap_or(&Value::Null)
}

fn to_value(object: DynamicObject) -> Value {
    serde_json::to_value(object).expect("an object that came as JSON")
}
