//! The owner of a session's state.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use towline_helper::client::Helper;
use towline_workload::SessionRecord;
use towline_workload::workload_value;

use super::agents::Agents;
use super::board::{Board, UNEASY};
use super::chronicle::Chronicle;
use super::directory::Directory;
use super::error::SessionError;
use super::kubernetes::Kubernetes;
use super::lease::{self, Leases, Renewal};
use super::outbound::{Dialer, Ground, Outbound};
use super::overlay::Overlay;
use super::register::Register;
use super::standing::{Standing, judge};
use super::{Command, Signal, Surroundings};
use crate::cluster::Cluster;
use crate::environment::Environment;
use crate::event::{End, What};
use crate::journal::Journal;
use crate::names::SessionNames;
use crate::plan::Plan;
use crate::report::Code;
use crate::volumes::Shelf;

/// How often the owner looks at what no signal tells of: that nothing is heard any more.
const LOOK: Duration = Duration::from_millis(100);

/// The pause before a question that failed is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// A question about how the session stands is given up after this time, and asked again.
const ASK: Duration = Duration::from_secs(5);

pub(super) struct Actor {
    pub(super) cluster: Cluster,
    pub(super) plan: Plan,
    pub(super) journal: Journal,
    pub(super) chronicle: Arc<Chronicle>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) environment: watch::Sender<Option<Environment>>,
    /// Who changes the hosts file, if somebody else has asked for them already.
    pub(super) helper: Option<Helper>,
    /// What is put over the container's environment.
    pub(super) overlay: Option<Overlay>,
    pub(super) register: Arc<Register>,
    /// Writes the names as services come and go.
    pub(super) keeps_names: Option<AbortOnDropHandle<()>>,
    pub(super) board: Arc<Board>,
    /// The container's volumes.
    pub(super) shelf: Arc<Shelf>,
    /// Lives as long as the actor: a program keeps the ports that it was given, through every loss.
    pub(super) outbound: Arc<Outbound>,
    pub(super) directory: Option<Directory>,
    /// The API server on this machine, once it has been reached.
    pub(super) kubernetes: Option<Kubernetes>,
    /// Whether anything may have been done in the cluster.
    pub(super) touched: bool,
    /// Whether it has lapsed before.
    pub(super) again: bool,
    /// The session that was taken over, whose objects are still there.
    pub(super) previous: Option<String>,
}

/// Where handles see what has become of the session.
pub(super) struct Tell {
    pub(super) environment: watch::Sender<Option<Environment>>,
    pub(super) names: watch::Sender<Arc<SessionNames>>,
}

/// What runs while a session has the workload.
pub(super) struct Live {
    pub(super) signals: mpsc::Receiver<Signal>,
    pub(super) tell: mpsc::Sender<Signal>,
    pub(super) tasks: Vec<AbortOnDropHandle<()>>,
    pub(super) agents: Option<Agents>,
    /// The workload and its pods as last seen.
    pub(super) workload: Value,
    pub(super) pods: Vec<Value>,
    /// Why the lease could not be renewed last time.
    pub(super) trouble: Option<String>,
    pub(super) lost_since: Option<Instant>,
    /// How the session stands is to be asked.
    pub(super) doubt: bool,
    /// The bytes that had come from the cluster, and when more came: much traffic can hold up the pings, and is as good a sign of life.
    received: (u64, Instant),
}

/// Why a session leaves the workload.
#[derive(Debug)]
pub(super) enum Leaving {
    Stopped,
    Overwritten { by: Option<String>, fields: Vec<String> },
    TakenOver { by: Option<SessionRecord> },
    Lapsed,
    Deleted,
    Failed(Box<SessionError>),
}

impl From<SessionError> for Leaving {
    fn from(error: SessionError) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl Live {
    fn new() -> Self {
        let (tell, signals) = mpsc::channel(256);
        Self {
            signals,
            tell,
            tasks: Vec::new(),
            agents: None,
            workload: Value::Null,
            pods: Vec::new(),
            trouble: None,
            lost_since: None,
            doubt: false,
            received: (0, Instant::now()),
        }
    }

    pub(super) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(AbortOnDropHandle::new(tokio::spawn(task)));
    }
}

impl Actor {
    pub(super) fn new(
        cluster: Cluster,
        plan: Plan,
        surroundings: Surroundings,
        chronicle: Arc<Chronicle>,
        commands: mpsc::Receiver<Command>,
        tell: Tell,
    ) -> Self {
        let board = Arc::new(Board::new());
        let dialer = Arc::new(Dialer::new(cluster.client(), board.clone(), chronicle.clone()));
        let outbound =
            Arc::new(Outbound::new(dialer, Ground::of(plan.hosts.as_ref(), plan.request.names)));
        let register =
            Register::new(&cluster, &plan, outbound.clone(), chronicle.clone(), tell.names);
        let shelf = Arc::new(Shelf::new(board.clone(), chronicle.clone(), &plan.volumes));
        Self {
            cluster,
            plan,
            shelf,
            journal: surroundings.journal,
            chronicle,
            commands,
            environment: tell.environment,
            helper: surroundings.helper,
            overlay: surroundings.overlay,
            register: Arc::new(register),
            keeps_names: None,
            board,
            outbound,
            directory: None,
            kubernetes: None,
            touched: false,
            again: false,
            previous: None,
        }
    }

    /// The whole life.
    pub(super) async fn run(mut self) -> End {
        let end = loop {
            let mut live = Live::new();
            let leaving = match self.way_in(&mut live).await {
                Ok(()) => self.serve(&mut live).await,
                Err(leaving) => leaving,
            };
            tracing::debug!(?leaving, "leaving the workload");
            if !matches!(leaving, Leaving::Lapsed) {
                let end = self.leave(leaving, live).await;
                // A session that once stood, and does not come up again after a lapse, is no reason to end the user's program.
                match &end {
                    End::Failed { error } if self.again && error.code != Code::RestoreFailed => {
                        let message = format!("Could not connect again: {}", error.message);
                        self.chronicle.tell(What::Warning { message });
                    }
                    _ => break end,
                }
            } else {
                drop(live);
            }
            if let Some(end) = self.lapsed().await {
                break end;
            }
        };
        self.shelf.close();
        let Self { chronicle, outbound, kubernetes, directory, register, keeps_names, .. } = self;
        // Names live as long as what they lead to, and not longer.
        drop(keeps_names);
        register.clear().await;
        drop((register, outbound, kubernetes));
        if let Some(directory) = directory {
            directory.remove();
        }
        chronicle.tell(What::Ended { end: end.clone() });
        end
    }

    /// Keeps the session until something ends it.
    async fn serve(&mut self, live: &mut Live) -> Leaving {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(Command::Stop) | None => return Leaving::Stopped,
                    Some(Command::Reconnect) => {}
                },
                Some(signal) = live.signals.recv() => self.take(live, signal),
                _ = look.tick() => self.look(live),
            }
            if live.doubt
                && let Some(leaving) = self.settle(live).await
            {
                return leaving;
            }
        }
    }

    /// Takes a signal in.
    pub(super) fn take(&self, live: &mut Live, signal: Signal) {
        match signal {
            Signal::Pods(pods) => {
                if let Some(agents) = &mut live.agents {
                    agents.sync(&pods);
                }
                live.pods = pods;
            }
            Signal::Workload(None) => live.doubt = true,
            Signal::Workload(Some(workload)) => {
                live.doubt |= !towline_workload::still_ours(&workload, self.plan.session.as_str());
                live.workload = *workload;
            }
            Signal::Lease(Renewal::Renewed) => live.trouble = None,
            Signal::Lease(Renewal::Lost) => {
                live.trouble = None;
                live.doubt = true;
            }
            Signal::Lease(Renewal::Failed(reason)) => live.trouble = Some(reason),
            Signal::Doubt | Signal::Refused { .. } => live.doubt = true,
            Signal::AgentUp | Signal::AgentHeard => self.look(live),
            Signal::NoTunnel { .. } => {}
        }
    }

    /// Notices that the cluster is not heard any more, and that it is again.
    fn look(&self, live: &mut Live) {
        let wanted = super::rollout::progress(
            self.plan.workload.kind,
            &live.workload,
            &live.pods,
            self.plan.session.as_str(),
            &[],
        )
        .wanted;
        let received = self.chronicle.counters.traffic.received.load(Relaxed);
        if received != live.received.0 {
            live.received = (received, Instant::now());
        }
        let flows = self.board.stands() && live.received.1.elapsed() < UNEASY;
        let deaf = wanted > 0 && !flows && !self.board.hears_somebody();
        let reason = match &live.trouble {
            Some(trouble) => Some(trouble.clone()),
            None if deaf => Some("no agent answers".to_owned()),
            None => None,
        };
        match (reason, live.lost_since) {
            (Some(reason), None) => {
                live.lost_since = Some(Instant::now());
                self.chronicle.tell(What::Reconnecting { reason });
            }
            (None, Some(since)) => {
                live.lost_since = None;
                // What happened meanwhile is looked at before it is taken for granted.
                live.doubt = true;
                let after_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
                self.chronicle.tell(What::Reconnected { after_ms });
            }
            _ => {}
        }
    }

    /// Asks how the session stands. An answer that cannot be had leaves the doubt.
    pub(super) async fn settle(&mut self, live: &mut Live) -> Option<Leaving> {
        let standing = match tokio::time::timeout(ASK, self.ask()).await {
            Ok(Ok(standing)) => standing,
            Ok(Err(error)) => {
                tracing::debug!(error, "how the session stands cannot be asked");
                tokio::time::sleep(ASK_AGAIN).await;
                return None;
            }
            Err(_) => return None,
        };
        tracing::debug!(?standing, "asked");
        live.doubt = false;
        match standing {
            Standing::Ours => None,
            Standing::LeaseGone => {
                live.doubt = true;
                self.take_lease_again(live).await
            }
            Standing::Overwritten { by, fields } => Some(Leaving::Overwritten { by, fields }),
            Standing::TakenOver { by } => Some(Leaving::TakenOver { by }),
            Standing::PutBack => Some(Leaving::Lapsed),
            Standing::Deleted => Some(Leaving::Deleted),
        }
    }

    async fn ask(&self) -> Result<Standing, String> {
        let client = self.cluster.client();
        let leases = Leases { cluster: &self.cluster, workload: &self.plan.workload };
        let (workload, lease) =
            tokio::join!(workload_value(&client, &self.plan.workload), leases.read());
        let workload = workload.map_err(|error| error.to_string())?;
        let lease = lease.map_err(|error| error.to_string())?;
        let session = self.plan.session.as_str();
        let holder = lease::holder_of(lease.as_ref(), session);
        Ok(judge(workload.as_ref(), &self.plan.base, &holder, session))
    }

    /// Somebody has deleted the lease, and with it the restorer, while the agent is there.
    async fn take_lease_again(&mut self, live: &mut Live) -> Option<Leaving> {
        let message = "The session's lease was deleted; it is made again".to_owned();
        self.chronicle.tell(What::Warning { message });
        let taken = self.take_lease().await;
        match taken {
            Ok(lease) => {
                live.doubt = false;
                if self.plan.restorer {
                    let (cluster, plan, chronicle) =
                        (self.cluster.clone(), self.plan.clone(), self.chronicle.clone());
                    live.spawn(async move {
                        if let Err(error) = super::restorer::start(&cluster, &plan, &lease).await {
                            let message =
                                format!("The cluster will not restore by itself: {error}");
                            chronicle.tell(What::Warning { message });
                        }
                    });
                }
                None
            }
            Err(SessionError::Busy { by, .. }) => Some(Leaving::TakenOver { by: Some(*by) }),
            // The doubt stays, and so it is tried again.
            Err(error) => {
                tracing::debug!(%error, "the lease is not had again");
                tokio::time::sleep(ASK_AGAIN).await;
                None
            }
        }
    }

    /// Resolves when the session is to stop; for a `select!` around a wait.
    pub(super) async fn stopped(commands: &mut mpsc::Receiver<Command>) {
        while commands.recv().await == Some(Command::Reconnect) {}
    }

    pub(super) fn remove_journal(&self) {
        // With this session what earlier ones, which were cut off, had left on the workload is put back too.
        let removed = self
            .journal
            .remove(&self.plan.session)
            .and_then(|()| self.journal.settle(self.cluster.context(), &self.plan.workload));
        if let Err(error) = removed {
            self.chronicle.tell(What::Warning { message: error.to_string() });
        }
    }
}
