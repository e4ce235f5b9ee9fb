//! The restorer: waits for the session's lease to lapse, and then puts the workload back, for as long as it takes.

mod lapse;

use std::time::{Duration, Instant};

use kube::api::{Api, ApiResource, DynamicObject};
use kube::{Client, Config};
use tokio::time::{sleep, timeout};
use towline_workload::{Progress, PutBack, Restored, Sweeper, WorkloadRef, explain, put_back};
use tracing::{error, info, warn};

pub use lapse::LapseClock;

/// The longest time between two reads of the lease.
const POLL: Duration = Duration::from_secs(2);

/// The shortest.
const SHORTEST_POLL: Duration = Duration::from_millis(200);

/// How long one read may take.
const READ_LIMIT: Duration = Duration::from_secs(10);

/// How long the restored workload may take to be in service before the rest is swept all the same.
const IN_SERVICE: Duration = Duration::from_secs(300);

/// The longest pause between two attempts to restore.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What is to be watched and put back.
#[derive(Clone, Debug)]
pub struct Restorer {
    /// The workload.
    pub workload: WorkloadRef,
    /// The name of the session's lease.
    pub lease: String,
    /// The session's id.
    pub session: String,
}

/// The restorer cannot do its work; its Job starts it again.
#[derive(Debug, thiserror::Error)]
pub enum RestorerError {
    /// The pod has no service account, or not a usable one.
    #[error("this pod's access to the API server cannot be used: {0}")]
    NoAccess(String),
    /// The lease may not be read: the Role is missing, or not bound yet.
    #[error("reading lease {lease} is forbidden: {why}")]
    Forbidden {
        /// Its name.
        lease: String,
        /// What the server says.
        why: String,
    },
}

/// What a read of the lease has shown.
enum Lease {
    /// It is the session's.
    Held { renewal: String, duration: Duration },
    /// It is gone, or another session's.
    Ended(String),
}

impl Restorer {
    /// Watches and restores, with the pod's own service account.
    ///
    /// # Errors
    /// As [`RestorerError`] says.
    pub async fn run(&self) -> Result<(), RestorerError> {
        let unusable = |error: &dyn std::fmt::Display| RestorerError::NoAccess(error.to_string());
        let mut config = Config::incluster().map_err(|error| unusable(&error))?;
        config.default_namespace = self.workload.namespace.clone();
        let client = Client::try_from(config).map_err(|error| unusable(&explain(&error)))?;
        self.run_with(client).await
    }

    /// Watches and restores through `client`. Returns when the workload has been put back and nothing of the session is left to be done.
    ///
    /// # Errors
    /// When the very first read of the lease is forbidden. Later failures are waited out.
    pub async fn run_with(&self, client: Client) -> Result<(), RestorerError> {
        let mut clock: Option<LapseClock> = None;
        let mut interval = POLL;
        let mut pause = interval;
        let mut reachable = true;
        loop {
            match self.read(&client).await {
                Ok(Lease::Held { renewal, duration }) => {
                    let clock = clock.get_or_insert_with(|| {
                        interval = (duration / 10).clamp(SHORTEST_POLL, POLL);
                        info!(
                            "watching lease {} of session {}: {} is put back after {} s without a renewal",
                            self.lease, self.session, self.workload, duration.as_secs()
                        );
                        LapseClock::new(interval)
                    });
                    let without_renewal = clock.read(Instant::now(), &renewal);
                    if without_renewal < duration {
                        pause = interval;
                    } else if self.put_back(&client, "the lease has lapsed").await {
                        return Ok(());
                    } else {
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                    reachable = true;
                }
                Ok(Lease::Ended(why)) => {
                    if self.put_back(&client, &why).await {
                        return Ok(());
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(kube::Error::Api(status)) if status.code == 403 && clock.is_none() => {
                    let (lease, why) = (self.lease.clone(), status.message.clone());
                    return Err(RestorerError::Forbidden { lease, why });
                }
                Err(error) => {
                    if std::mem::take(&mut reachable) {
                        warn!(
                            "the lease cannot be read, the time until it can is not counted: {}",
                            explain(&error)
                        );
                    }
                    pause = interval;
                }
            }
            sleep(pause).await;
        }
    }

    async fn read(&self, client: &Client) -> kube::Result<Lease> {
        let resource = ApiResource {
            group: "coordination.k8s.io".to_owned(),
            version: "v1".to_owned(),
            api_version: "coordination.k8s.io/v1".to_owned(),
            kind: "Lease".to_owned(),
            plural: "leases".to_owned(),
        };
        let leases: Api<DynamicObject> =
            Api::namespaced_with(client.clone(), &self.workload.namespace, &resource);
        let read = timeout(READ_LIMIT, leases.get_opt(&self.lease)).await;
        let lease = read.unwrap_or_else(|elapsed| Err(kube::Error::Service(elapsed.into())))?;
        let Some(lease) = lease else { return Ok(Lease::Ended("the lease is gone".to_owned())) };
        let spec = &lease.data["spec"];
        let holder = spec["holderIdentity"].as_str().unwrap_or_default();
        if holder != self.session {
            return Ok(Lease::Ended(format!("the lease is session {holder}'s now")));
        }
        Ok(Lease::Held {
            renewal: spec["renewTime"].as_str().unwrap_or_default().to_owned(),
            duration: Duration::from_secs(spec["leaseDurationSeconds"].as_u64().unwrap_or(120)),
        })
    }

    /// Whether all is done.
    async fn put_back(&self, client: &Client, why: &str) -> bool {
        info!("putting {} back: {why}", self.workload);
        let deadline = tokio::time::Instant::now() + IN_SERVICE;
        let mut progress = |progress| match progress {
            Progress::Written { kept_from_others } if kept_from_others.is_empty() => {
                info!("the workload is written");
            }
            Progress::Written { kept_from_others } => {
                info!("the workload is written; others changed, and keep: {kept_from_others:?}");
            }
            Progress::PodReplaced { name } => info!("pod {name} is deleted to be made anew"),
            Progress::AgentsLeft { count } => info!("pods with the agent: {count}"),
            Progress::Ready { ready, wanted } => info!("pods ready: {ready} of {wanted}"),
            Progress::Sweeping => info!("removing what the session leaves"),
        };
        let sweeper = Sweeper::Restorer;
        let done =
            put_back(client, &self.workload, &self.session, sweeper, deadline, &mut progress);
        match done.await {
            Ok(done) => {
                self.tell(&done);
                true
            }
            Err(error) if error.is_transient() => {
                warn!("{error}; trying again");
                false
            }
            Err(error) => {
                error!("{error}; trying again");
                false
            }
        }
    }

    fn tell(&self, done: &PutBack) {
        match &done.restored {
            Restored::NothingToDo => info!("{} was put back already", self.workload),
            Restored::Restored { .. } => info!("{} is as it was", self.workload),
            Restored::WorkloadGone => info!("{} does not exist any more", self.workload),
            Restored::TakenOver { by } => {
                info!("{} is {}'s now, it is left alone", self.workload, by.user);
            }
        }
        if let Some(error) = &done.not_in_service {
            warn!("{error}");
        }
        for left in &done.swept.left {
            warn!("{} is left: {}", left.what, left.why);
        }
    }
}
