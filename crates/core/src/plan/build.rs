//! Making a plan: everything is read, nothing is written.

use std::collections::BTreeSet;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::Api;

use towline_wire::{Protocol, SessionId, SessionKey};
use towline_workload::names::{lease_name, session_object_name};
use towline_workload::{
    AgentContainer, FieldChange, Kind, PullPolicy, SessionRecord, WorkloadRef, bare_pod, install,
    is_installed, reverse, serve_args,
};

use super::{
    Check, KnownVariables, NewObject, Outcome, Plan, PlanError, admission, defaults, hosts, local,
    services, standing,
};
use crate::cluster::{Cluster, ClusterError, list};
use crate::lease::LeaseState;
use crate::names::{Excluded, HostsPlan};
use crate::preflight;
use crate::request::{Names, Request};
use crate::target::{self, Resolved, TargetError, ports};
use crate::volumes::{Of, PlannedVolume};

/// A lease that ends before a slow request does cannot be kept.
const SHORTEST_LEASE: u64 = 5;

/// The agent's port for the client is one of these: above the ports that Linux gives to outgoing connections, and rarely used.
const CONTROL_PORTS: std::ops::Range<u16> = 61_000..65_000;

impl Plan {
    /// Reads everything that a session would change, and what stands in its way. Changes nothing.
    ///
    /// # Errors
    ///
    /// When there is no such target, or it cannot be redirected at all; what only forbids to connect now is among [`Plan::checks`].
    pub async fn make(cluster: &Cluster, request: &Request) -> Result<Self, PlanError> {
        Self::make_for(cluster, request, None).await
    }

    /// As [`Self::make`], for a session that has `own` names and ports of this machine already.
    pub(crate) async fn make_for(
        cluster: &Cluster,
        request: &Request,
        own: Option<&HostsPlan>,
    ) -> Result<Self, PlanError> {
        if request.lease.as_secs() < SHORTEST_LEASE {
            return Err(PlanError::Lease(request.lease.as_secs()));
        }
        let (image, pull_secret) = defaults::agent_image(cluster, request)?;
        let resolved = target::resolve(cluster, request).await?;
        let workload = resolved.workload.clone();
        let ports =
            ports::map(&resolved.spec, &resolved.container, &resolved.services, &request.ports)
                .map_err(|source| TargetError::Port { workload: workload.clone(), source })?;

        let (session, key) = (SessionId::generate(), SessionKey::generate());
        let control_port = control_port(&session, &resolved, &ports.inbound);
        let record = defaults::record(&session, &resolved.container);
        let listen = |protocol: Protocol| -> Vec<u16> {
            let its = ports.inbound.iter().filter(|port| port.protocol == protocol);
            its.map(|port| port.remote).collect()
        };
        let agent = AgentContainer {
            image,
            image_pull_policy: PullPolicy::IfNotPresent,
            pull_secret,
            args: serve_args(
                session.as_str(),
                &key.digest().to_string(),
                control_port,
                &listen(Protocol::Tcp),
                &listen(Protocol::Udp),
            ),
        };
        let change = Change::of(&resolved, &agent, &record)?;
        let namespaces = namespaces(request, &workload);

        let (rights, lease, outbound, admission, local, variables) = tokio::join!(
            preflight::rights(cluster, &workload, &namespaces),
            lease(cluster, &workload),
            services::outbound(cluster, request, &workload.namespace, &namespaces),
            try_out(cluster, &workload, change.patch.as_ref()),
            local::checks(&ports.inbound, request.program),
            KnownVariables::read(cluster, &workload.namespace, &resolved.spec, &resolved.container),
        );
        let (rights, lease, (outbound, left_out)) =
            (rights?.for_names(request.names), lease?, outbound?);
        let (hosts, on_this_machine) = match (request.names, own) {
            (Names::Variables, _) => (None, Vec::new()),
            (Names::HostsFile | Names::OwnHostsFile, Some(own)) => (Some(own.clone()), Vec::new()),
            (names @ (Names::HostsFile | Names::OwnHostsFile), None) => {
                let wanted = hosts::Wanted {
                    names,
                    taken: request.taken_names,
                    home: workload.namespace.clone(),
                    server: cluster.identity().server,
                    services: outbound.clone(),
                    kubernetes: !Excluded::of(&request.exclude, &workload.namespace)
                        .has("default", "kubernetes"),
                    external: request.external_hosts.clone(),
                    inbound: ports.inbound.clone(),
                };
                // Reads files and tries ports, of which there can be thousands.
                let planned = tokio::task::spawn_blocking(move || hosts::plan(&wanted)).await;
                let (plan, checks) =
                    planned.map_err(|error| PlanError::Machine(error.to_string()))?;
                (Some(plan), checks)
            }
        };
        let installed = is_installed(&resolved.value);
        let occupied_by =
            lease.as_ref().and_then(|lease| lease.record.clone()).or_else(|| installed.clone());

        let free = standing::occupied(
            &workload,
            installed.as_ref(),
            lease.as_ref(),
            request.take_over,
            record.started,
        );
        let mut checks = vec![free];
        checks.extend(rights.checks());
        checks.extend(admission?);
        checks.extend(local);
        checks.extend(on_this_machine);
        checks.extend(left_out);
        checks.extend(standing::rollout(&workload, &resolved.value, &resolved.rollout));
        checks.extend(standing::keepers(&resolved.value));
        checks.extend(standing::pod(&resolved.spec, workload.kind, control_port));
        checks.extend(port_checks(&ports));
        checks.extend(version(cluster));
        checks.sort_by_key(|check| match check.outcome {
            Outcome::Blocked => 0,
            Outcome::Warning => 1,
            Outcome::Passed => 2,
        });

        Ok(Self {
            request: request.clone(),
            volumes: volumes(&resolved, request),
            variables: variables.with_services(
                &outbound,
                &workload.namespace,
                resolved.spec.enable_service_links.unwrap_or(true),
            ),
            objects: objects(&workload, &session, rights.restorer()),
            session,
            key,
            record,
            cluster: cluster.identity(),
            container: resolved.container,
            replicas: resolved.rollout.replicas,
            limited_to: standing::limited_to(&resolved.rollout),
            agent,
            control_port,
            fields: change.fields,
            inbound: ports.inbound,
            outbound,
            hosts,
            checks,
            occupied_by,
            base: resolved.value,
            restorer: rights.restorer(),
            workload,
        })
    }
}

fn volumes(resolved: &Resolved, request: &Request) -> Vec<PlannedVolume> {
    let of = if resolved.workload.kind == Kind::Pod { Of::Pod } else { Of::Template };
    let spec = serde_json::to_value(&resolved.spec).unwrap_or_default();
    PlannedVolume::of_spec(&spec, &resolved.container, of, request.volumes)
}

/// A port that no container of the pod declares, and another one in each session.
fn control_port(session: &SessionId, resolved: &Resolved, inbound: &[super::InboundPort]) -> u16 {
    let declared =
        resolved.spec.containers.iter().flat_map(|container| container.ports.iter().flatten());
    let taken: BTreeSet<u16> = declared
        .filter_map(|port| u16::try_from(port.container_port).ok())
        .chain(inbound.iter().map(|port| port.remote))
        .collect();
    let (first, count) = (usize::from(CONTROL_PORTS.start), CONTROL_PORTS.len());
    let seed = session
        .as_str()
        .bytes()
        .fold(0_usize, |seed, byte| (seed * 31 + usize::from(byte)) % count);
    (0..count)
        .filter_map(|step| u16::try_from(first + (seed + step) % count).ok())
        .find(|port| !taken.contains(port))
        .unwrap_or(CONTROL_PORTS.start)
}

/// What becomes of the workload.
struct Change {
    fields: Vec<FieldChange>,
    patch: Option<json_patch::Patch>,
}

impl Change {
    /// On the workload as it is without any session: one that is there is taken back before.
    fn of(
        resolved: &Resolved,
        agent: &AgentContainer,
        record: &SessionRecord,
    ) -> Result<Self, PlanError> {
        let workload = &resolved.workload;
        let failed =
            |source| PlanError::Install { workload: workload.clone(), source: Box::new(source) };
        if workload.kind == Kind::Pod {
            // An occupied pod's original is kept elsewhere; what changes is told when that session is over.
            if is_installed(&resolved.value).is_some() {
                return Ok(Self { fields: Vec::new(), patch: None });
            }
            let pod =
                bare_pod(&resolved.value, &resolved.container, agent, record).map_err(failed)?;
            return Ok(Self { fields: pod.changes, patch: None });
        }
        let occupied = is_installed(&resolved.value).is_some();
        let reversal = reverse(&resolved.value).map_err(|source| PlanError::Reverse {
            workload: workload.clone(),
            source: Box::new(source),
        })?;
        let installation =
            install(&reversal.restored, &resolved.container, agent, record).map_err(failed)?;
        // The patch is one of the restored workload; on an occupied one it cannot be tried.
        Ok(Self { fields: installation.changes, patch: (!occupied).then_some(installation.patch) })
    }
}

async fn try_out(
    cluster: &Cluster,
    workload: &WorkloadRef,
    patch: Option<&json_patch::Patch>,
) -> Result<Option<Check>, ClusterError> {
    match patch {
        Some(patch) => admission::check(cluster, workload, patch).await,
        None => Ok(None),
    }
}

fn namespaces(request: &Request, workload: &WorkloadRef) -> Vec<String> {
    if request.namespaces.is_empty() {
        return vec![workload.namespace.clone()];
    }
    let mut seen = BTreeSet::new();
    request.namespaces.iter().filter(|name| seen.insert((*name).clone())).cloned().collect()
}

async fn lease(
    cluster: &Cluster,
    workload: &WorkloadRef,
) -> Result<Option<LeaseState>, ClusterError> {
    let api: Api<Lease> = Api::namespaced(cluster.client(), &workload.namespace);
    match api.get_opt(&lease_name(workload)).await {
        Ok(lease) => Ok(lease.map(|lease| LeaseState::of(&lease, Timestamp::now()))),
        Err(error) => match cluster.explain(format!("read the lease of {workload}"), error) {
            // That right is checked, and told, with the others.
            ClusterError::Forbidden { .. } => Ok(None),
            error => Err(error),
        },
    }
}

fn objects(workload: &WorkloadRef, session: &SessionId, restorer: bool) -> Vec<NewObject> {
    let object = |kind: &str, name: String, purpose: &str| NewObject {
        kind: kind.to_owned(),
        name,
        purpose: purpose.to_owned(),
    };
    let own = || session_object_name(session.as_str());
    let mut objects = vec![object(
        "Lease",
        lease_name(workload),
        "says whose session it is, and that its client is alive",
    )];
    if workload.kind == Kind::Pod {
        objects.push(object(
            "Secret",
            own(),
            "keeps the pod's manifest while the agent has its name",
        ));
    }
    if restorer {
        let account = "the restorer's identity";
        objects.extend([
            object("ServiceAccount", own(), account),
            object("Role", own(), "what the restorer may do"),
            object("RoleBinding", own(), "gives it that role"),
            object("Job", own(), "the restorer: puts the workload back when the client is gone"),
        ]);
    }
    objects
}

fn port_checks(ports: &ports::Ports) -> Vec<Check> {
    let mut checks = Vec::new();
    if ports.inbound.is_empty() {
        let message = "The container declares no port, and no service sends connections to it: none will come to this machine.";
        let fix = "If it listens nevertheless, name the port: --port REMOTE[:LOCAL].";
        checks.push(Check::warning("ports", message, Some(fix.to_owned())));
    }
    if !ports.not_carried.is_empty() {
        let message = format!(
            "Only TCP and UDP are carried; these ports are not: {}.",
            list(&ports.not_carried)
        );
        checks.push(Check::warning("ports", message, None));
    }
    checks
}

/// The first minor version that this was tried on.
const OLDEST: u32 = 20;

fn version(cluster: &Cluster) -> Option<Check> {
    let version = cluster.version();
    let check = match version.minor {
        Some(minor) if minor < OLDEST => {
            let message = format!(
                "The cluster is of version {}; Towline was tried on 1.{OLDEST} and later.",
                version.text
            );
            Check::warning("version", message, None)
        }
        Some(_) => Check::passed("version", format!("The cluster is of version {}.", version.text)),
        None => return None,
    };
    Some(check)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
