//! A tunnel to each of the agent's pods, for as long as the pod is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use towline_wire::handshake::{Hello, Refusal};
use towline_workload::names::SESSION_LABEL;

use super::Signal;
use super::board::Board;
use super::chronicle::Chronicle;
use super::inbound::{Caller, Inbound};
use crate::backoff::Backoff;
use crate::event::What;
use crate::tunnel::{Dial, Tunnel, TunnelEvent};

/// What every agent's task needs.
pub(super) struct Reach {
    pub(super) client: kube::Client,
    pub(super) namespace: String,
    pub(super) container: String,
    pub(super) control_port: u16,
    pub(super) hello: Hello,
    pub(super) board: Arc<Board>,
    pub(super) inbound: Arc<Inbound>,
    pub(super) chronicle: Arc<Chronicle>,
    pub(super) signals: mpsc::Sender<Signal>,
}

pub(super) struct Agents {
    reach: Arc<Reach>,
    /// By the pods' uids.
    tasks: BTreeMap<String, Agent>,
}

struct Agent {
    pod: String,
    _task: AbortOnDropHandle<()>,
}

impl Agents {
    pub(super) fn new(reach: Reach) -> Self {
        Self { reach: Arc::new(reach), tasks: BTreeMap::new() }
    }

    /// Starts a tunnel to each agent that runs, and gives up those whose pod is gone.
    pub(super) fn sync(&mut self, pods: &[Value]) {
        let session = self.reach.hello.session.as_str();
        let present: BTreeMap<&str, &Value> = pods
            .iter()
            .filter(|pod| session_of(pod) == Some(session))
            .filter_map(|pod| Some((text(pod, "/metadata/uid")?, pod)))
            .collect();
        let gone: Vec<String> =
            self.tasks.keys().filter(|uid| !present.contains_key(uid.as_str())).cloned().collect();
        for uid in gone {
            if let Some(agent) = self.tasks.remove(&uid) {
                drop(agent._task);
                self.reach.lost(&agent.pod, "the pod is gone".to_owned());
                self.reach.chronicle.forget_pod(&agent.pod);
            }
        }
        for (uid, pod) in present {
            if self.tasks.contains_key(uid) || !runs(pod, &self.reach.container) {
                continue;
            }
            let Some(name) = text(pod, "/metadata/name") else { continue };
            let task = tokio::spawn(serve(self.reach.clone(), name.to_owned()));
            let agent = Agent { pod: name.to_owned(), _task: AbortOnDropHandle::new(task) };
            self.tasks.insert(uid.to_owned(), agent);
        }
    }
}

impl Drop for Agents {
    fn drop(&mut self) {
        for agent in self.tasks.values() {
            self.reach.board.down(&agent.pod);
        }
    }
}

impl Reach {
    fn dial(&self, pod: &str) -> Dial {
        Dial {
            client: self.client.clone(),
            namespace: self.namespace.clone(),
            pod: pod.to_owned(),
            control_port: self.control_port,
            hello: self.hello.clone(),
        }
    }

    fn lost(&self, pod: &str, reason: String) {
        if self.board.down(pod) {
            self.chronicle.tell(What::TunnelDown { pod: pod.to_owned(), reason });
        }
    }
}

/// Keeps a tunnel to the pod's agent, for ever.
async fn serve(reach: Arc<Reach>, pod: String) {
    let mut backoff = Backoff::new();
    let mut told = false;
    loop {
        match Tunnel::open(reach.dial(&pod)).await {
            Ok((tunnel, events)) => {
                backoff.reset();
                reach.board.up(&pod, tunnel.streams().clone());
                let release = tunnel.accepted().release.clone();
                reach.chronicle.tell(What::TunnelUp { pod: pod.clone(), release });
                let _ = reach.signals.send(Signal::AgentUp).await;
                let reason = tend(&reach, &pod, &tunnel, events).await;
                reach.lost(&pod, reason);
            }
            Err(error) => {
                tracing::debug!(pod, %error, "no tunnel");
                let signal = match error.refusal() {
                    Some(Refusal::Session) => Signal::Doubt,
                    Some(Refusal::Version | Refusal::Key) => {
                        if !std::mem::replace(&mut told, true) {
                            reach.chronicle.tell(What::Warning { message: error.to_string() });
                        }
                        Signal::Refused { pod: pod.clone(), reason: error.to_string() }
                    }
                    None => Signal::NoTunnel {
                        pod: pod.clone(),
                        reason: error.to_string(),
                        forbidden: error.is_forbidden(),
                    },
                };
                if reach.signals.send(signal).await.is_err() {
                    return;
                }
            }
        }
        backoff.wait().await;
    }
}

/// Hands on what the agent sends until the tunnel is gone; returns why it is.
async fn tend(
    reach: &Arc<Reach>,
    pod: &str,
    tunnel: &Tunnel,
    mut events: mpsc::Receiver<TunnelEvent>,
) -> String {
    let streams = tunnel.streams();
    let closed = streams.closed();
    tokio::pin!(closed);
    let mut ending = false;
    loop {
        let event = tokio::select! {
            reason = &mut closed => return if ending { "the pod is ending".to_owned() } else { reason },
            Some(event) = events.recv() => event,
        };
        match event {
            TunnelEvent::Incoming { port, protocol, peer, stream } => {
                let (inbound, pod) = (reach.inbound.clone(), pod.to_owned());
                let caller = Caller { pod, remote: port, protocol, peer };
                tokio::spawn(async move { inbound.serve(caller, stream).await });
            }
            TunnelEvent::RoundTrip(time) => {
                reach.board.heard(pod);
                // A full queue wakes the owner just as well.
                let _ = reach.signals.try_send(Signal::AgentHeard);
                reach.chronicle.round_trip(pod, time);
            }
            TunnelEvent::NotListening { port, protocol, reason } => {
                let pod = pod.to_owned();
                reach.chronicle.tell(What::PortNotServed { pod, port, protocol, reason });
            }
            TunnelEvent::Ending => ending = true,
            TunnelEvent::Resumed(after) => {
                let after_ms = after.as_millis() as u64;
                reach.chronicle.tell(What::TunnelResumed { pod: pod.to_owned(), after_ms });
            }
        }
    }
}

/// The session that the pod's agent belongs to.
pub(super) fn session_of(pod: &Value) -> Option<&str> {
    pod.pointer("/metadata/labels")?.get(SESSION_LABEL)?.as_str()
}

/// Whether the container runs, so that its agent may answer.
pub(super) fn runs(pod: &Value, container: &str) -> bool {
    let statuses = pod.pointer("/status/containerStatuses").and_then(Value::as_array);
    statuses
        .into_iter()
        .flatten()
        .any(|status| status["name"] == container && status.pointer("/state/running").is_some())
}

fn text<'a>(value: &'a Value, at: &str) -> Option<&'a str> {
    value.pointer(at)?.as_str()
}
