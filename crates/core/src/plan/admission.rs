//! What the cluster says to the change before it is made: the patch, sent with `dryRun=All`, goes through validation and admission and is
//! then forgotten.

use json_patch::PatchOperation;
use kube::api::{Patch, PatchParams};
use towline_workload::names::FIELD_MANAGER;
use towline_workload::{Kind, WorkloadRef};

use super::Check;
use crate::cluster::{Cluster, ClusterError};
use crate::report::Code;

const TITLE: &str = "admission";

/// Asks. `None` where nothing is learnt: a bare pod is not patched, and a missing right is another check's business.
pub(super) async fn check(
    cluster: &Cluster,
    workload: &WorkloadRef,
    patch: &json_patch::Patch,
) -> Result<Option<Check>, ClusterError> {
    if workload.kind == Kind::Pod {
        return Ok(None);
    }
    // Without the tests: the status has perhaps been written since the workload was read, and that says nothing about the change.
    let operations =
        patch.0.iter().filter(|operation| !matches!(operation, PatchOperation::Test(_))).cloned();
    let patch: Patch<()> = Patch::Json(json_patch::Patch(operations.collect()));
    let parameters = PatchParams {
        dry_run: true,
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    let answer = workload.api(cluster.client()).patch(&workload.name, &parameters, &patch).await;
    let error = match answer {
        Ok(_) => {
            return Ok(Some(Check::passed(
                TITLE,
                "The cluster accepts the change (tried without making it).",
            )));
        }
        Err(error) => cluster.explain(format!("try the change of {workload}"), error),
    };
    judge(workload, error)
}

fn judge(workload: &WorkloadRef, error: ClusterError) -> Result<Option<Check>, ClusterError> {
    let status = match error {
        ClusterError::Forbidden { .. } => return Ok(None),
        ClusterError::Api { status, .. } => status,
        error => return Err(error),
    };
    if status.message.contains("dry run") || status.message.contains("dryRun") {
        let message = format!(
            "Whether the cluster accepts the change could not be tried: {}.",
            status.message
        );
        return Ok(Some(Check::warning(TITLE, message, None)));
    }
    match status.code {
        400 | 403 | 422 => {
            let message = format!(
                "The cluster does not accept the change of {workload}: {}.",
                status.message
            );
            let fix = "The rule that refuses it is the cluster's: ask its administrator, or choose another agent image if that is what it names.";
            Ok(Some(Check::blocked(Code::AgentNotStarted, TITLE, message, Some(fix.to_owned()))))
        }
        _ => Err(ClusterError::Api { doing: format!("try the change of {workload}"), status }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::plan::Outcome;

    #[test]
    fn refusals_are_told_apart() {
        let workload =
            WorkloadRef { kind: Kind::Deployment, namespace: "shop".into(), name: "orders".into() };
        let judged = |code: u16, message: &str| {
            let status = kube::core::Status::failure(message, "").with_code(code).boxed();
            judge(&workload, ClusterError::Api { doing: "try".into(), status })
        };
        let outcome = |code, message| judged(code, message).unwrap().unwrap().outcome;
        let denied = "admission webhook \"images.example\" denied the request: only our registry";
        assert_eq!(outcome(403, denied), Outcome::Blocked);
        assert!(judged(403, denied).unwrap().unwrap().message.contains("only our registry"));
        assert_eq!(
            outcome(400, "admission webhook \"a\" does not support dry run"),
            Outcome::Warning
        );
        assert!(judged(404, "not found").is_err());
        assert!(judged(500, "etcd").is_err());
    }
}
