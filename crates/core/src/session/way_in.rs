//! The way in, step by step. Whatever fails, what was done is put back by [`Actor::leave`].

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, pin_mut};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::Api;
use kube::core::{DynamicObject, Selector};
use kube::runtime::watcher;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;
use towline_wire::handshake::{Hello, VERSIONS};
use towline_workload::{Direction, Kind, Replacement, Rollout, replace_pods};

use super::actor::{Actor, Leaving, Live};
use super::agents::{Agents, Reach};
use super::cause;
use super::directory::Directory;
use super::error::SessionError;
use super::follow::follow;
use super::inbound::Inbound;
use super::lease::{self, Claim, Leases};
use super::suspicion::Warnings;
use super::{Signal, install, ready, restorer, services, variables};
use crate::environment::{Environment, Inputs, Variable, write_env_file};
use crate::event::{Step, What};
use crate::journal::Entry;
use crate::names::Excluded;
use crate::volumes::ROOT_VARIABLE;

/// Pods that have to be deleted one after the other may each take their grace period.
const ONE_BY_ONE: Duration = Duration::from_secs(180);

impl Actor {
    pub(super) async fn way_in(&mut self, live: &mut Live) -> Result<(), Leaving> {
        if self.directory.is_none() {
            self.directory = Some(Directory::make(&self.plan.session)?);
        }
        self.write_journal()?;
        self.open_names().await?;
        self.chronicle.tell(What::Step { step: Step::Lease });
        let lease = self.take_lease().await?;
        let (cluster, workload, session) =
            (self.cluster.clone(), self.plan.workload.clone(), self.plan.session.to_string());
        live.spawn(lease::keep(
            cluster,
            workload,
            session,
            self.plan.request.lease,
            live.tell.clone(),
        ));

        let original = self.prepare(&lease).await?;
        self.check_overlay(original.as_deref())?;

        self.chronicle.tell(What::Step { step: Step::Patch });
        let about = self.about();
        let warnings =
            Warnings::from_now(self.cluster.client(), &self.plan.workload.namespace, about).await;
        live.workload = install::put(&self.cluster, &self.plan, &lease).await?;

        self.chronicle.tell(What::Step { step: Step::Pods });
        self.follow_workload(live);
        self.open_tunnels(live);
        if self.plan.hosts.is_none() {
            services::open_planned(&self.plan, &self.outbound).await;
            self.outbound.planned_are_open();
        }
        self.await_pods(live, warnings).await?;

        self.chronicle.tell(What::Step { step: Step::Environment });
        let agent = self.agents_environment().await?;
        let root = self.open_volumes(live).await?;
        self.chronicle.tell(What::Step { step: Step::Listeners });
        for namespace in services::namespaces(&self.plan) {
            let follow = services::Follow {
                client: self.cluster.client(),
                namespace,
                outbound: self.outbound.clone(),
                chronicle: self.chronicle.clone(),
                excluded: Excluded::of(&self.plan.request.exclude, &self.plan.workload.namespace),
            };
            live.spawn(follow.keep());
        }
        let env_file =
            self.publish_environment(&agent, original.as_deref(), root.as_deref()).await?;
        self.register.put_back().await;
        self.register.write().await.map_err(SessionError::Names)?;
        self.lay_over().map_err(Leaving::Failed)?;
        self.chronicle.tell(What::Connected { pods: self.board.pods(), env_file });
        if let Some(previous) = self.previous.take() {
            live.spawn(sweep_previous(self.cluster.client(), self.plan.workload.clone(), previous));
        }
        Ok(())
    }

    fn write_journal(&self) -> Result<(), SessionError> {
        // What sessions that were cut off kept on this machine does not wait for somebody to ask for their state.
        self.journal.abandoned()?;
        let (pid, process_started) = Entry::this_process();
        let directory = self.directory.as_ref().map(|directory| directory.path().to_owned());
        let entry = Entry {
            session: self.plan.session.clone(),
            context: self.cluster.context().to_owned(),
            kubeconfig: self.cluster.kubeconfig().map(ToOwned::to_owned),
            workload: self.plan.workload.clone(),
            lease: towline_workload::names::lease_name(&self.plan.workload),
            restores_after_s: self.plan.restorer.then_some(self.plan.request.lease.as_secs()),
            directory: directory.unwrap_or_default(),
            started: self.plan.record.started,
            pid,
            process_started,
        };
        Ok(self.journal.write(&entry)?)
    }

    pub(super) async fn take_lease(&mut self) -> Result<Lease, SessionError> {
        let leases = Leases { cluster: &self.cluster, workload: &self.plan.workload };
        let request = &self.plan.request;
        let acquired =
            leases.acquire(&self.plan.record, request.lease, Claim::of(&self.plan)).await;
        // An answer that was lost may have been a yes.
        self.touched |=
            !matches!(acquired, Err(SessionError::Busy { .. } | SessionError::ForeignLease { .. }));
        let (lease, previous) = acquired?;
        let occupied = self.plan.occupied_by.as_ref().map(|record| record.id.clone());
        self.previous = previous.or(occupied).or(self.previous.take());
        Ok(lease)
    }

    /// Before the workload is touched: the restorer, and a look at the original's environment while its pods are there.
    async fn prepare(&mut self, lease: &Lease) -> Result<Option<Vec<Variable>>, Leaving> {
        let (cluster, plan) = (self.cluster.clone(), self.plan.clone());
        let limit =
            if self.overlay_wants_variables() { variables::LOOK } else { variables::GLANCE };
        let original = variables::original(&cluster, &plan, limit);
        if !plan.restorer {
            return Ok(original.await);
        }
        self.chronicle.tell(What::Step { step: Step::Restorer });
        let both = async { tokio::join!(restorer::start(&cluster, &plan, lease), original) };
        tokio::select! {
            () = Self::stopped(&mut self.commands) => Err(Leaving::Stopped),
            (started, original) = both => {
                started?;
                Ok(original)
            }
        }
    }

    /// Watches the workload, and its pods, old and new.
    fn follow_workload(&self, live: &mut Live) {
        let workload = &self.plan.workload;
        let named = watcher::Config::default().fields(&format!("metadata.name={}", workload.name));
        let name = workload.name.clone();
        let objects = follow::<DynamicObject>(workload.api(self.cluster.client()), named.clone());
        live.spawn(pass_on(objects, live.tell.clone(), move |mut seen| {
            Signal::Workload(
                seen.remove(&name)
                    .and_then(|object| serde_json::to_value(object).ok())
                    .map(Box::new),
            )
        }));
        let selected = match (workload.kind, selector(&live.workload)) {
            (Kind::Pod, _) | (_, None) => named,
            (_, Some(selector)) => watcher::Config::default().labels_from(&selector),
        };
        let pods =
            follow(Api::<Pod>::namespaced(self.cluster.client(), &workload.namespace), selected);
        live.spawn(pass_on(pods, live.tell.clone(), |seen| {
            Signal::Pods(
                seen.into_values().filter_map(|pod| serde_json::to_value(pod).ok()).collect(),
            )
        }));
        let rollout = Rollout::of(workload.kind, &live.workload);
        if rollout.replacement != Replacement::Recreation {
            self.replace_old_pods(live);
        }
    }

    /// The pods that the controller does not replace by itself; of most workloads there are none.
    fn replace_old_pods(&self, live: &mut Live) {
        let (client, workload, session) =
            (self.cluster.client(), self.plan.workload.clone(), self.plan.session.to_string());
        let deadline = Instant::now() + self.plan.request.timeout + ONE_BY_ONE;
        let chronicle = self.chronicle.clone();
        live.spawn(async move {
            let replaced = replace_pods(
                &client,
                &workload,
                &session,
                Direction::ToAgent,
                deadline,
                &mut |_| (),
            )
            .await;
            if let Err(error) = replaced {
                chronicle.tell(What::Warning { message: error.to_string() });
            }
        });
    }

    fn open_tunnels(&self, live: &mut Live) {
        let hello = Hello {
            versions: VERSIONS,
            release: env!("CARGO_PKG_VERSION").to_owned(),
            session: self.plan.session.clone(),
            key: self.plan.key.clone(),
            resume: None,
        };
        live.agents = Some(Agents::new(Reach {
            client: self.cluster.client(),
            namespace: self.plan.workload.namespace.clone(),
            container: self.plan.container.clone(),
            control_port: self.plan.control_port,
            hello,
            board: self.board.clone(),
            inbound: Arc::new(Inbound::new(&self.plan.inbound, self.chronicle.clone())),
            chronicle: self.chronicle.clone(),
            signals: live.tell.clone(),
        }));
    }

    /// Reads the environment from any agent. None is there where the workload has no pods.
    async fn agents_environment(&mut self) -> Result<Vec<Variable>, Leaving> {
        let mut last = "no agent runs".to_owned();
        for _ in 0..3 {
            let asked = async { Some(self.board.wait().await?.environment().await) };
            let answer = tokio::select! {
                () = Self::stopped(&mut self.commands) => return Err(Leaving::Stopped),
                answer = asked => answer,
            };
            match answer {
                Some(Ok(variables)) => return Ok(variables),
                Some(Err(error)) => last = error.to_string(),
                None => {}
            }
        }
        let cause = format!("it does not tell its environment: {last}");
        let whose = format!("The agent in {}", self.plan.workload);
        Err(SessionError::NotStarted { whose, cause, hint: cause::slow().hint() }.into())
    }

    /// Computes the environment from what is known, and writes its file.
    async fn publish_environment(
        &mut self,
        agent: &[Variable],
        original: Option<&[Variable]>,
        root: Option<&std::path::Path>,
    ) -> Result<std::path::PathBuf, Leaving> {
        let container = variables::container(&self.plan).unwrap_or_default();
        let keys = variables::keys(&self.cluster, &self.plan.workload.namespace, &container).await;
        if self.plan.hosts.is_some() {
            self.register
                .set_domain(ready::domain(&self.board, &self.plan.workload.namespace).await);
        }
        let kubernetes = self.open_kubernetes(agent).await;
        let snapshot = self.chronicle.snapshot();
        let mut environment = Environment::compute(&Inputs {
            agent,
            container: &container,
            namespace: &self.plan.workload.namespace,
            keys: &keys,
            original,
            listeners: &snapshot.listeners,
            kubernetes: kubernetes.as_ref(),
        });
        if let Some(root) = root {
            environment.add(ROOT_VARIABLE, root.as_os_str().as_encoded_bytes());
        }
        let directory = self.directory.as_ref().expect("made at the begin of the way in");
        let path = directory.env_file();
        write_env_file(&path, &environment).map_err(SessionError::from)?;
        environment.keep(directory.path()).map_err(SessionError::from)?;
        self.environment.send_replace(Some(environment));
        Ok(path)
    }
}

fn selector(workload: &Value) -> Option<Selector> {
    let selector: LabelSelector =
        serde_json::from_value(workload.pointer("/spec/selector")?.clone()).ok()?;
    Selector::try_from(selector).ok()
}

async fn pass_on<T>(
    seen: impl futures::Stream<Item = Result<T, watcher::Error>>,
    signals: mpsc::Sender<Signal>,
    signal: impl Fn(T) -> Signal,
) {
    pin_mut!(seen);
    while let Some(seen) = seen.next().await {
        match seen {
            Ok(seen) => {
                if signals.send(signal(seen)).await.is_err() {
                    return;
                }
            }
            Err(error) => tracing::debug!(%error, "a watch"),
        }
    }
}

async fn sweep_previous(
    client: kube::Client,
    workload: towline_workload::WorkloadRef,
    previous: String,
) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let swept = towline_workload::sweep(
        &client,
        &workload,
        &previous,
        towline_workload::Sweeper::Client,
        deadline,
    )
    .await;
    if let Err(error) = swept {
        tracing::warn!(%error, "what is left of the session that was taken over");
    }
}
