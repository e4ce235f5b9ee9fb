//! The container's volumes as files on this machine.

mod copied;
mod mount;
mod on_demand;
mod own_hosts;
mod scene;
