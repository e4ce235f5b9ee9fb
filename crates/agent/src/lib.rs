//! The process that stands in for a container of a pod.
//!
//! [`serve`] takes the container's connections and hands them to the developer's machine, and makes connections from the pod on its behalf.
//! [`restore`] waits, in a Job of its own, for the session's lease to lapse, and then puts the workload back.
//!
//! It needs no privilege, no writable disk, no particular user, no shell and no libc in its image.

pub mod restore;
pub mod serve;
