//! What crosses the border between Rust and the window: plain values, made for showing, generated as TypeScript by `ts-rs` into
//! `ui/src/lib/bindings`. A test sees that those files are current.
//!
//! Two kinds of things cross. **Questions**: the window calls a command and gets an answer or a [`Report`]. **Frames**: after
//! `subscribe` the window gets one [`Frame`] at most every 50 ms with all that has changed since the last. What can be large (rows, log
//! lines, events) never travels in frames: a frame says that there is a new revision, and the window asks for the page that it shows.
//!
//! Times are milliseconds since 1970 (UTC), durations are milliseconds, unless a name says otherwise.

mod app;
mod debugger;
mod diagnosis;
mod environment;
mod explorer;
mod launch;
mod logs;
mod machine;
mod plan;
mod preferences;
mod project;
mod session;
mod tables;
mod traffic;
mod volumes;

pub use self::app::*;
pub use self::debugger::*;
pub use self::diagnosis::*;
pub use self::environment::*;
pub use self::explorer::*;
pub use self::launch::*;
pub use self::logs::*;
pub use self::machine::*;
pub use self::plan::*;
pub use self::preferences::*;
pub use self::project::*;
pub use self::session::*;
pub use self::tables::*;
pub use self::traffic::*;
pub use self::volumes::*;
