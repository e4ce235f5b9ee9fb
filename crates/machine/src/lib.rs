//! This machine, as a session changes and reads it: host names and loopback addresses that can only be valid, the hosts file, the processes that hold
//! ports, and those that a program consists of. Knows neither Kubernetes nor sessions; the core and the process with root's rights share it.

mod command_line;
pub mod family;
pub mod holder;
pub mod host_name;
pub mod hosts_file;
pub mod loopback;
pub mod process;
pub mod session_name;
mod text;

pub use host_name::HostName;
pub use hosts_file::HostsEntry;
pub use loopback::LoopbackAddress;
pub use process::ProcessId;
pub use session_name::SessionName;
