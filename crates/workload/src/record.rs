//! Whose session a workload is in.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::edit::token;
use crate::names::{ORIGINAL_ANNOTATION, SESSION_ANNOTATION, SESSION_LABEL};
use crate::original::{Original, Place};

/// Who has redirected a workload, from where and since when: what others are shown, on the workload and on the lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionRecord {
    /// The session's id.
    pub id: String,
    /// The user's name on the developer's machine.
    pub user: String,
    /// The developer's machine.
    pub host: String,
    /// When the session began.
    pub started: Timestamp,
    /// The container that the agent stands in for.
    pub container: String,
    /// The version of Towline.
    pub tool_version: String,
}

impl SessionRecord {
    /// Reads what stands in [`SESSION_ANNOTATION`]; `None` where it is not a record.
    pub fn parse(annotation: &str) -> Option<Self> {
        serde_json::from_str(annotation).ok()
    }

    /// The record as the annotation's value.
    pub fn to_annotation(&self) -> String {
        serde_json::to_string(self).expect("a record is plain strings, so it is always JSON")
    }

    // Somebody has edited the annotation. The workload is taken all the same, so it must not look free.
    fn unreadable(session: &str) -> Self {
        let unknown = || "unknown".to_owned();
        Self {
            id: session.to_owned(),
            user: unknown(),
            host: unknown(),
            started: Timestamp::UNIX_EPOCH,
            container: unknown(),
            tool_version: unknown(),
        }
    }
}

/// The session that the workload is in, if it is in any. A record that cannot be read is answered by one whose parts are "unknown".
pub fn is_installed(workload: &Value) -> Option<SessionRecord> {
    let annotation = annotation(workload, SESSION_ANNOTATION);
    if let Some(record) = annotation.and_then(SessionRecord::parse) {
        return Some(record);
    }
    if annotation.is_none() && self::annotation(workload, ORIGINAL_ANNOTATION).is_none() {
        return None;
    }
    let label = format!("/spec/template/metadata/labels/{}", token(SESSION_LABEL));
    let id = workload.pointer(&label).and_then(Value::as_str).unwrap_or("unknown");
    Some(SessionRecord::unreadable(id))
}

/// Whether the workload is in session `session` and the container still runs that session's agent: false as soon as somebody has deployed
/// over it (another image, command or arguments), or has restored it.
pub fn still_ours(workload: &Value, session: &str) -> bool {
    if is_installed(workload).is_none_or(|record| record.id != session) {
        return false;
    }
    let Some(Ok(original)) = Original::of(workload) else { return false };
    let Some(container) = original.container_pointer(workload) else { return false };
    original
        .fields
        .iter()
        .filter(|field| field.place == Place::Container)
        .filter(|field| ["/image", "/command", "/args"].contains(&field.at.as_str()))
        .all(|field| field.stands(workload, Some(&container)))
}

pub(crate) fn annotation<'a>(workload: &'a Value, name: &str) -> Option<&'a str> {
    workload.pointer(&format!("/metadata/annotations/{}", token(name)))?.as_str()
}
