//! The patch that puts the agent in the place of a container, and its reverse.
//!
//! The pure part works on the workload as JSON, so that fields which this version does not know are never lost: [`install()`] and
//! [`bare_pod()`] make the change, [`reverse()`] takes it back, [`Rollout`] says how the pods follow, [`objects`] makes what stands beside
//! the workload for the time of a session. The rest talks to a cluster: [`restore()`], [`replace_pods()`], [`wait_restored()`], [`sweep()`],
//! and [`put_back()`], which is all of them in order. The core and the restorer (in the agent) both use it.
//!
//! Nothing here prints, and nothing decides when to restore.

mod agent_container;
mod cluster;
mod edit;
mod install;
pub mod names;
pub mod objects;
mod original;
mod pod;
mod record;
mod reverse;
mod rollout;
mod workload;

pub use agent_container::{AgentContainer, PullPolicy, restore_args, serve_args};
pub use cluster::pods::{pods_of, workload_value};
pub use cluster::put_back::{PutBack, PutBackError, put_back};
pub use cluster::replace::replace_pods;
pub use cluster::request::{RequestError, explain};
pub use cluster::restore::{Expect, RestoreError, Restored, restore};
pub use cluster::sweep::{Left, Sweeper, Swept, sweep};
pub use cluster::wait::{Progress, WaitError, wait_restored};
pub use install::{FieldChange, InstallError, Installation, adopt_admitted, install};
pub use original::Original;
pub use pod::{BarePod, bare_pod};
pub use record::{SessionRecord, is_installed, still_ours};
pub use reverse::{Reversal, ReverseError, reverse};
pub use rollout::{Direction, Ordinals, PodIdentity, Replacement, Rollout, pods_to_replace};
pub use workload::{Kind, UnknownKind, WorkloadRef};
