//! The container's volumes as files on this machine.

mod copied;
mod many;
mod mount;
mod on_demand;
mod own_hosts;
mod own_names;
mod replicas;
mod scene;
mod terminal;
