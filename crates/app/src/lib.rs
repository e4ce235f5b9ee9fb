//! What the window shows and does, without the window: no Tauri here, and no printing.
//!
//! [`view`] is the border to the window.

pub mod clusters;
mod controller;
mod debugger;
pub mod diagnosis;
mod directories;
pub mod explorer;
pub mod launch;
pub mod leftovers;
pub mod logs;
pub mod machine;
pub mod outbox;
mod own_variables;
pub mod preferences;
pub mod profiles;
mod program;
pub mod publish;
pub mod report;
pub mod sessions;
pub mod shell_path;
pub mod tray;
pub mod view;

pub use self::controller::{Controller, Options};
pub use self::diagnosis::{LogHandle, init_logging};
pub use self::directories::Directories;
pub use self::outbox::FrameStream;
pub use self::own_variables::OWN_VARIABLES;
pub use self::shell_path::LoginShell;
