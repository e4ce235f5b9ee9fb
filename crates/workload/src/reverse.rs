//! Taking the agent out again, three ways: what Towline found, what it wrote, what stands there now.

use json_patch::Patch;
use serde_json::{Value, json};

use crate::agent_container::AGENT;
use crate::edit::{Edit, EditError};
use crate::install::annotation_pointer;
use crate::names::{ORIGINAL_ANNOTATION, SESSION_ANNOTATION, SESSION_LABEL};
use crate::original::{Change, Field, Original, OriginalError, label_pointer, template_pointer};
use crate::{SessionRecord, is_installed};

/// What [`reverse`] would do.
#[derive(Clone, Debug)]
pub struct Reversal {
    /// The change; `None` when there is nothing to take back. It begins with a test of `uid` and `resourceVersion`.
    pub patch: Option<Patch>,
    /// The workload with the change made.
    pub restored: Value,
    /// The session that is taken back.
    pub session: Option<SessionRecord>,
    /// The fields that somebody else has changed while the agent was there. They are left as they are.
    pub overwritten_by_others: Vec<String>,
}

/// Why the workload cannot be put back. Nothing has been changed.
#[derive(Debug, thiserror::Error)]
pub enum ReverseError {
    /// The way back cannot be read.
    #[error(transparent)]
    Original(#[from] OriginalError),
    /// Somebody has removed the annotation with the way back, and the agent is still there.
    #[error(
        "the agent runs in container '{0}' but the annotation {ORIGINAL_ANNOTATION} is gone, so what was there before is not known; apply the workload's own manifest again"
    )]
    OriginalLost(String),
    /// The object has not the shape of its kind.
    #[error(transparent)]
    Malformed(#[from] EditError),
}

/// Computes the patch that puts the workload back.
///
/// A field that is still as Towline left it gets its original value; a field that somebody has changed since is theirs and stays. The
/// session's label and annotations go in any case. A workload without them needs nothing. Not for a bare pod, which is created again.
///
/// # Errors
/// As [`ReverseError`] says.
pub fn reverse(workload: &Value) -> Result<Reversal, ReverseError> {
    let original = Original::of(workload).transpose()?;
    let session = is_installed(workload);
    let template = template_pointer(workload);
    let label = format!("{template}{}", label_pointer(SESSION_LABEL));
    if original.is_none() {
        if session.is_none() && workload.pointer(&label).is_none() {
            return Ok(Reversal {
                patch: None,
                restored: workload.clone(),
                session,
                overwritten_by_others: Vec::new(),
            });
        }
        if let Some(name) = agent_left(workload, template) {
            return Err(ReverseError::OriginalLost(name));
        }
    }

    let mut edit = Edit::new(workload.clone());
    edit.test("/metadata/uid");
    edit.test("/metadata/resourceVersion");
    for annotation in [ORIGINAL_ANNOTATION, SESSION_ANNOTATION] {
        edit.remove(&annotation_pointer(annotation))?;
    }
    edit.remove(&label)?;

    let mut overwritten_by_others = Vec::new();
    if let Some(original) = &original {
        let container = original.container_pointer(workload);
        for field in original.fields.iter().rev() {
            let Some(pointer) = field.pointer(template, container.as_deref()) else { continue };
            // Removed above, whatever its value is.
            if pointer == label {
                continue;
            }
            if let Outcome::Theirs = undo(&mut edit, &pointer, field)? {
                overwritten_by_others.push(field.path(&original.container));
            }
        }
        overwritten_by_others.reverse();
    }
    let (patch, restored) = edit.finish();
    Ok(Reversal { patch: Some(patch), restored, session, overwritten_by_others })
}

enum Outcome {
    Ours,
    Theirs,
}

fn undo(edit: &mut Edit, pointer: &str, field: &Field) -> Result<Outcome, EditError> {
    let stands = edit.get(pointer);
    match &field.change {
        Change::Set { was, is } => {
            if stands != is.as_ref() {
                let original = stands == was.as_ref();
                return Ok(if original { Outcome::Ours } else { Outcome::Theirs });
            }
            edit.set(pointer, was.clone())?;
        }
        Change::Made { was } => {
            if stands == Some(&json!({})) || stands == Some(&json!([])) {
                edit.set(pointer, was.clone())?;
            }
        }
        Change::Appended { item } => {
            let list = stands.and_then(Value::as_array);
            let index = list.and_then(|list| list.iter().rposition(|other| other == item));
            if let Some(index) = index {
                edit.remove(&format!("{pointer}/{index}"))?;
            }
        }
    }
    Ok(Outcome::Ours)
}

fn agent_left(workload: &Value, template: &str) -> Option<String> {
    let containers = workload.pointer(&format!("{template}/spec/containers"))?.as_array()?;
    let agent = containers.iter().find(|container| container["command"] == json!([AGENT]))?;
    agent["name"].as_str().map(str::to_owned)
}
