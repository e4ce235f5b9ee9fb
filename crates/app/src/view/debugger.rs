//! What a debugger can be attached to.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The processes of a session's program, and what keeps a debugger from them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Debuggees {
    /// The most likely one first. Empty: nothing runs.
    pub processes: Vec<Debuggee>,
    /// What this machine lets no debugger do, if one of them would have to.
    pub hindrance: Option<Hindrance>,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Debuggee {
    /// Its number.
    pub pid: u32,
    /// The command and its arguments, cut where they are very long.
    pub command: String,
    /// As `Node.js`; null: not to be seen.
    pub runtime: Option<String>,
    /// The session's local ports that it listens on.
    pub ports: Vec<u16>,
    /// The process that debugs it already.
    pub traced_by: Option<u32>,
    /// How a debugger is attached, the usual way first.
    pub ways: Vec<AttachWay>,
    /// What must be done before, or why there is no way: one or two sentences.
    pub advice: Option<String>,
}

/// A way to attach a debugger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AttachWay {
    /// As `gdb`, `VS Code`.
    pub tool: String,
    /// A command line, or an entry for the `configurations` of VS Code's `launch.json`.
    pub text: String,
}

/// Something that keeps debuggers out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Hindrance {
    /// What, in one or two sentences.
    pub message: String,
    /// The command that takes it away until the machine starts anew.
    pub command: Option<String>,
}
