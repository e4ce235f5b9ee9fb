//! Towline's core: look at a cluster, plan a session, connect, carry traffic, restore.
//!
//! The order of use: [`cluster`] opens a context; [`look`] lists what is there; [`plan`] reads all that a session would change and
//! returns it as a value; [`session`] does what the plan says, and tells of it in numbered [`event`]s. [`leftovers`] finds and
//! restores what a session without an owner left behind.
//!
//! The core prints nothing, ends no process, and knows neither the window nor the command line.

mod backoff;
pub mod checkup;
pub mod cluster;
pub mod environment;
pub mod event;
pub mod journal;
pub mod lease;
pub mod leftovers;
pub mod logs;
pub mod look;
pub mod names;
pub mod plan;
pub mod ports;
pub mod preflight;
pub mod program;
pub mod rbac;
pub mod redact;
pub mod report;
pub mod request;
pub mod rights;
pub mod session;
pub mod settings;
pub mod target;
pub mod text;
mod tunnel;
pub mod volumes;

pub use towline_wire::Protocol;
