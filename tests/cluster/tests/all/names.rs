//! The cluster's names on this machine, through its hosts file.

mod changes;
mod ends;
mod external;
mod held;
mod killed;
mod lost;
mod refused;
mod shop;
