//! The volumes of a plan as people read them.

use std::fmt::Write;

use console::{Alignment, pad_str};
use towline_core::plan::Plan;
use towline_core::volumes::{Handling, PlannedVolume};

use super::{Paint, width};

pub(super) fn write(text: &mut String, plan: &Plan, paint: &Paint) -> std::fmt::Result {
    if plan.volumes.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n{}", paint.bold("The container's volumes"))?;
    let mounts = width(plan.volumes.iter().map(|volume| volume.mount_path.as_str()));
    let kinds: Vec<String> = plan.volumes.iter().map(kind).collect();
    let wide = width(kinds.iter().map(String::as_str));
    for (volume, kind) in plan.volumes.iter().zip(&kinds) {
        let mount = pad_str(&volume.mount_path, mounts, Alignment::Left, None);
        let kind = pad_str(kind, wide, Alignment::Left, None);
        writeln!(text, "  {mount}  {kind}  {}", paint.dim(what(volume)))?;
    }
    Ok(())
}

fn kind(volume: &PlannedVolume) -> String {
    let part = volume.sub_path.as_ref().map(|path| format!(", {path}")).unwrap_or_default();
    match &volume.source {
        Some(source) => format!("{} {source}{part}", volume.kind.words()),
        None => format!("{}{part}", volume.kind.words()),
    }
}

fn what(volume: &PlannedVolume) -> &'static str {
    match (volume.handling, volume.read_only) {
        (Handling::Copied, _) => "copied, and kept fresh",
        (Handling::OnDemand, true) => "copied with `towline files get`; read-only",
        (Handling::OnDemand, false) => "copied and written back with `towline files`",
        (Handling::Left, _) => "left out",
    }
}
