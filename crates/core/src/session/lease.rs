//! The lease: what makes a workload this session's, and what the cluster waits for before it restores by itself.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Instant;
use towline_workload::names::{FIELD_MANAGER, SESSION_ANNOTATION, lease_name};
use towline_workload::{SessionRecord, WorkloadRef, is_installed, objects};

use super::Signal;
use super::error::SessionError;
use crate::backoff::Backoff;
use crate::cluster::Cluster;
use crate::lease::LeaseState;
use crate::plan::Plan;

/// The longest time between two renewals.
const RENEW_EVERY: Duration = Duration::from_secs(15);

/// A renewal that takes longer has failed; the next one is tried on another connection.
const RENEW_LIMIT: Duration = Duration::from_secs(5);

/// How often another client's write at the same moment is tried against.
const ATTEMPTS: usize = 10;

/// What a lease says, to a session.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Holder {
    /// There is no lease.
    Nobody,
    /// This session.
    Us,
    /// Another session, or something else; the record where it is one.
    Other { holder: String, record: Option<Box<SessionRecord>> },
}

/// Which leases of others a session takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// None.
    Nobodys,
    /// One that has lapsed. For a workload without an agent: the client went away before it changed anything.
    Abandoned,
    /// Any.
    Anybodys,
}

impl Claim {
    pub(super) fn of(plan: &Plan) -> Self {
        if plan.request.take_over {
            return Self::Anybodys;
        }
        if is_installed(&plan.base).is_some() { Self::Nobodys } else { Self::Abandoned }
    }
}

pub(super) fn holder_of(lease: Option<&Lease>, session: &str) -> Holder {
    let Some(lease) = lease else { return Holder::Nobody };
    let holder =
        lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default();
    if holder == session {
        return Holder::Us;
    }
    let annotation =
        lease.metadata.annotations.as_ref().and_then(|all| all.get(SESSION_ANNOTATION));
    let record = annotation.and_then(|text| SessionRecord::parse(text)).map(Box::new);
    Holder::Other { holder: holder.to_owned(), record }
}

/// How often to renew a lease of this length.
pub(super) fn renew_every(lease: Duration) -> Duration {
    RENEW_EVERY.min(lease / 3)
}

pub(super) struct Leases<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) workload: &'a WorkloadRef,
}

impl Leases<'_> {
    fn api(&self) -> Api<Lease> {
        Api::namespaced(self.cluster.client(), &self.workload.namespace)
    }

    fn name(&self) -> String {
        lease_name(self.workload)
    }

    pub(super) async fn read(&self) -> kube::Result<Option<Lease>> {
        self.api().get_opt(&self.name()).await
    }

    /// Takes the lease, from another session too where `claim` says so. Returns it and the session that had it.
    pub(super) async fn acquire(
        &self,
        record: &SessionRecord,
        duration: Duration,
        claim: Claim,
    ) -> Result<(Lease, Option<String>), SessionError> {
        let doing =
            || format!("take the lease {} in namespace {}", self.name(), self.workload.namespace);
        let failed = |error| SessionError::from(self.cluster.explain(doing(), error));
        let parameters =
            PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let seconds = u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let mut wanted = objects::lease(self.workload, record, seconds, Timestamp::now());
            match self.api().create(&parameters, &wanted).await {
                Ok(lease) => return Ok((lease, None)),
                Err(error) if is(&error, 409) => {}
                Err(error) => return Err(failed(error)),
            }
            let Some(there) = self.read().await.map_err(failed)? else { continue };
            let lapsed = LeaseState::of(&there, Timestamp::now()).lapsed;
            let ours_to_take = claim == Claim::Anybodys || (claim == Claim::Abandoned && lapsed);
            let previous = match holder_of(Some(&there), &record.id) {
                // The answer to an earlier try was lost.
                Holder::Us => return Ok((there, None)),
                Holder::Nobody => None,
                Holder::Other { record: Some(by), .. } if !ours_to_take => {
                    return Err(SessionError::Busy { workload: self.workload.clone(), by, lapsed });
                }
                Holder::Other { record: None, holder } if claim != Claim::Anybodys => {
                    let namespace = self.workload.namespace.clone();
                    return Err(SessionError::ForeignLease {
                        lease: self.name(),
                        namespace,
                        holder,
                    });
                }
                Holder::Other { holder, .. } => Some(holder),
            };
            // The same object with another holder, so that no moment is without a lease. The version is the check.
            wanted.metadata.resource_version = there.metadata.resource_version;
            let transitions = there.spec.and_then(|spec| spec.lease_transitions).unwrap_or(0);
            if let Some(spec) = &mut wanted.spec {
                spec.lease_transitions = Some(transitions.saturating_add(1));
            }
            match self.api().replace(&self.name(), &parameters, &wanted).await {
                Ok(lease) => return Ok((lease, previous)),
                Err(error) if is(&error, 409) || is(&error, 404) => last = Some(error),
                Err(error) => return Err(failed(error)),
            }
        }
        Err(match last {
            Some(error) => failed(error),
            None => SessionError::Changed {
                workload: self.workload.clone(),
                what: format!("its lease came and went {ATTEMPTS} times"),
            },
        })
    }
}

/// What came of trying to renew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    /// Done.
    Renewed,
    /// The lease is not this session's any more, or not there.
    Lost,
    /// The API server could not be asked, or refused; the reason.
    Failed(String),
}

/// Renews the lease for ever, and says how it goes.
pub(super) async fn keep(
    cluster: Cluster,
    workload: WorkloadRef,
    session: String,
    lease: Duration,
    signals: mpsc::Sender<Signal>,
) {
    let every = renew_every(lease);
    let mut backoff = Backoff::new();
    let mut next = Instant::now() + every;
    loop {
        tokio::time::sleep_until(next).await;
        let began = Instant::now();
        let renewal = renew(&cluster, &workload, &session).await;
        let failed = matches!(renewal, Renewal::Failed(_));
        if signals.send(Signal::Lease(renewal)).await.is_err() {
            return;
        }
        if failed {
            backoff.wait().await;
            next = Instant::now();
        } else {
            backoff.reset();
            next = began + every;
        }
    }
}

pub(super) async fn renew(cluster: &Cluster, workload: &WorkloadRef, session: &str) -> Renewal {
    let api: Api<Lease> = Api::namespaced(cluster.client(), &workload.namespace);
    // The test keeps a taken lease from being renewed for its new holder by its old one.
    let patch: json_patch::Patch = serde_json::from_value(json!([
        {"op": "test", "path": "/spec/holderIdentity", "value": session},
        {"op": "replace", "path": "/spec/renewTime", "value": MicroTime(Timestamp::now())},
    ]))
    .expect("a JSON patch by its form");
    let parameters =
        PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let name = lease_name(workload);
    let patch: Patch<Lease> = Patch::Json(patch);
    let patching = api.patch(&name, &parameters, &patch);
    match tokio::time::timeout(RENEW_LIMIT, patching).await {
        Ok(Ok(_)) => Renewal::Renewed,
        Ok(Err(error)) if is(&error, 404) || is(&error, 422) => Renewal::Lost,
        Ok(Err(error)) => Renewal::Failed(towline_workload::explain(&error)),
        Err(_) => Renewal::Failed(format!("{} does not answer", cluster.server())),
    }
}

pub(super) fn is(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use towline_workload::Kind;

    use super::*;

    fn record(id: &str) -> SessionRecord {
        SessionRecord {
            id: id.into(),
            user: "ada".into(),
            host: "here".into(),
            started: "2026-01-01T00:00:00Z".parse().unwrap(),
            container: "orders".into(),
            tool_version: "1".into(),
        }
    }

    fn lease(id: &str) -> Lease {
        let workload =
            WorkloadRef { kind: Kind::Deployment, namespace: "shop".into(), name: "orders".into() };
        objects::lease(&workload, &record(id), 120, "2026-01-01T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_lease_says_whose_it_is() {
        assert_eq!(holder_of(None, "a"), Holder::Nobody);
        assert_eq!(holder_of(Some(&lease("a")), "a"), Holder::Us);
        let other = Holder::Other { holder: "b".into(), record: Some(Box::new(record("b"))) };
        assert_eq!(holder_of(Some(&lease("b")), "a"), other);
        let mut foreign = lease("b");
        foreign.metadata.annotations = None;
        assert_eq!(
            holder_of(Some(&foreign), "a"),
            Holder::Other { holder: "b".into(), record: None }
        );
    }

    #[test]
    fn a_short_lease_is_renewed_oftener() {
        assert_eq!(renew_every(Duration::from_secs(120)), Duration::from_secs(15));
        assert_eq!(renew_every(Duration::from_secs(6)), Duration::from_secs(2));
    }
}
