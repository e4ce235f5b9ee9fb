//! A plan as people read it.

mod volumes;

use std::fmt::Write;

use console::{Style, measure_text_width, pad_str};
use serde_json::Value;
use towline_core::names::PlannedHost;
use towline_core::plan::{Check, Outcome, Plan};
use towline_core::request::Names;
use towline_machine::HostName;
use towline_workload::FieldChange;

/// Colours, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    On,
    Off,
}

/// How wide a field's value may be before it is cut.
const VALUE_WIDTH: usize = 56;

struct Paint(bool);

impl Paint {
    fn with(&self, style: Style, text: &str) -> String {
        style.force_styling(self.0).apply_to(text).to_string()
    }

    fn bold(&self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    fn dim(&self, text: &str) -> String {
        self.with(Style::new().dim(), text)
    }
}

/// The whole plan.
pub(crate) fn plan(plan: &Plan, colour: Colour) -> String {
    let paint = Paint(colour == Colour::On);
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = head(&mut text, plan, &paint)
        .and_then(|()| cluster(&mut text, plan, &paint))
        .and_then(|()| inbound(&mut text, plan, &paint))
        .and_then(|()| outbound(&mut text, plan, &paint))
        .and_then(|()| hosts(&mut text, plan, &paint))
        .and_then(|()| volumes::write(&mut text, plan, &paint))
        .and_then(|()| checks(&mut text, &plan.checks, &paint));
    text
}

/// Only the checks.
pub(crate) fn only_checks<'a>(
    found: impl IntoIterator<Item = &'a Check>,
    colour: Colour,
) -> String {
    let found: Vec<Check> = found.into_iter().cloned().collect();
    let mut text = String::new();
    let _ = each_check(&mut text, &found, &Paint(colour == Colour::On));
    text
}

fn head(text: &mut String, plan: &Plan, paint: &Paint) -> std::fmt::Result {
    let pods = count(plan.replicas as usize, "pod", "pods");
    writeln!(
        text,
        "{}",
        paint.bold(&format!("{}, container {}, {pods}", plan.workload, plan.container))
    )?;
    let cluster = &plan.cluster;
    let place =
        format!("context {}, {}, Kubernetes {}", cluster.context, cluster.server, cluster.version);
    writeln!(text, "{}", paint.dim(&place))?;
    match &plan.limited_to {
        Some(limit) => writeln!(text, "{limit}"),
        None => Ok(()),
    }
}

fn cluster(text: &mut String, plan: &Plan, paint: &Paint) -> std::fmt::Result {
    writeln!(text, "\n{}", paint.bold("In the cluster, until the session ends"))?;
    let paths: Vec<&str> = plan.fields.iter().map(|field| field.path.as_str()).collect();
    let objects: Vec<String> =
        plan.objects.iter().map(|object| format!("{} {}", object.kind, object.name)).collect();
    let width = width(paths.iter().copied());
    for FieldChange { path, before, after } in &plan.fields {
        let path = pad_str(path, width, console::Alignment::Left, None);
        let (sign, style, change) = match (before, after) {
            (None, Some(after)) => ("+", Style::new().green(), value(after)),
            (Some(before), None) => ("-", Style::new().red(), value(before)),
            (Some(before), Some(after)) => (
                "~",
                Style::new().yellow(),
                format!("{} {} {}", paint.dim(&value(before)), paint.dim("→"), value(after)),
            ),
            (None, None) => continue,
        };
        writeln!(text, "  {} {path}  {change}", paint.with(style, sign))?;
    }
    let width = self::width(objects.iter().map(String::as_str));
    for (object, name) in plan.objects.iter().zip(&objects) {
        let name = pad_str(name, width, console::Alignment::Left, None);
        writeln!(
            text,
            "  {} {name}  {}",
            paint.with(Style::new().green(), "+"),
            paint.dim(&object.purpose)
        )?;
    }
    Ok(())
}

fn inbound(text: &mut String, plan: &Plan, paint: &Paint) -> std::fmt::Result {
    writeln!(text, "\n{}", paint.bold("From the cluster to this machine"))?;
    if plan.inbound.is_empty() {
        return writeln!(
            text,
            "  no port: the container declares none, and no service sends to it"
        );
    }
    let left: Vec<String> = plan
        .inbound
        .iter()
        .map(|port| match &port.name {
            Some(name) => {
                format!("container port {}{} ({name})", port.remote, port.protocol.suffix())
            }
            None => format!("container port {}{}", port.remote, port.protocol.suffix()),
        })
        .collect();
    let width = width(left.iter().map(String::as_str));
    for (port, left) in plan.inbound.iter().zip(&left) {
        let left = pad_str(left, width, console::Alignment::Left, None);
        let services = match port.services.as_slice() {
            [] => String::new(),
            services => paint.dim(&format!("   for {}", services.join(", "))),
        };
        writeln!(text, "  {left}  →  localhost:{}{services}", port.local)?;
    }
    Ok(())
}

fn outbound(text: &mut String, plan: &Plan, paint: &Paint) -> std::fmt::Result {
    writeln!(text, "\n{}", paint.bold("From this machine to the cluster"))?;
    if plan.outbound.is_empty() {
        return writeln!(text, "  no service");
    }
    let names: Vec<String> = plan
        .outbound
        .iter()
        .map(|service| format!("{}.{}", service.name, service.namespace))
        .collect();
    let width = width(names.iter().map(String::as_str));
    for (service, name) in plan.outbound.iter().zip(&names) {
        let ports: Vec<String> = service
            .ports
            .iter()
            .map(|port| match &port.name {
                Some(name) => format!("{}{} ({name})", port.port, port.protocol.suffix()),
                None => format!("{}{}", port.port, port.protocol.suffix()),
            })
            .collect();
        let name = pad_str(name, width, console::Alignment::Left, None);
        let headless = if service.cluster_ip.is_none() {
            paint.dim("   by name, no address")
        } else {
            String::new()
        };
        writeln!(text, "  {name}  {}{headless}", ports.join(", "))?;
    }
    let how = match (&plan.hosts, plan.request.names) {
        (None, _) => "each on a free port of 127.0.0.1, as the program's environment will say",
        (Some(_), Names::OwnHostsFile) => {
            "each by its cluster names, on its own ports, as far as these need no rights; for your program only"
        }
        (Some(_), _) => "each by its cluster names, on its own ports",
    };
    writeln!(text, "  {}", paint.dim(how))
}

/// How many lines of the hosts file are shown.
const LINES: usize = 20;

fn hosts(text: &mut String, plan: &Plan, paint: &Paint) -> std::fmt::Result {
    let Some(hosts) = &plan.hosts else { return Ok(()) };
    writeln!(text, "\n{}", paint.bold("On this machine, until the session ends"))?;
    let lines: Vec<&PlannedHost> =
        hosts.hosts.iter().filter(|host| !host.names.is_empty()).collect();
    let addresses: Vec<String> = lines.iter().map(|host| host.address.to_string()).collect();
    let width = width(addresses.iter().map(String::as_str));
    for (host, address) in lines.iter().zip(&addresses).take(LINES) {
        let address = pad_str(address, width, console::Alignment::Left, None);
        let names: Vec<&str> = host.names.iter().map(HostName::as_str).collect();
        let program = if host.is_program() { paint.dim("   your program") } else { String::new() };
        writeln!(
            text,
            "  {} /etc/hosts  {address}  {}{program}",
            paint.with(Style::new().green(), "+"),
            names.join(" ")
        )?;
    }
    if let more @ 1.. = lines.len().saturating_sub(LINES) {
        writeln!(
            text,
            "    {}",
            paint.dim(&format!("and {more} lines more; -o json has them all"))
        )?;
    }
    if plan.request.names == Names::OwnHostsFile {
        let where_ = "in a hosts file of your program's own; this machine's is not changed, and no rights are needed";
        return writeln!(text, "  {}", paint.dim(where_));
    }
    let low: Vec<String> = hosts.low_ports().iter().map(u16::to_string).collect();
    let what_for = match low.as_slice() {
        [] => "administrator's rights are needed for the hosts file".to_owned(),
        [port] => {
            format!("administrator's rights are needed for the hosts file and for port {port}")
        }
        ports => format!(
            "administrator's rights are needed for the hosts file and for ports {}",
            ports.join(", ")
        ),
    };
    writeln!(text, "  {}", paint.dim(&what_for))
}

fn checks(text: &mut String, found: &[Check], paint: &Paint) -> std::fmt::Result {
    if found.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n{}", paint.bold("Checks"))?;
    each_check(text, found, paint)?;
    let blocked = found.iter().filter(|check| check.outcome == Outcome::Blocked).count();
    let warnings = found.iter().filter(|check| check.outcome == Outcome::Warning).count();
    let verdict = match (blocked, warnings) {
        (0, 0) => paint.with(Style::new().green().bold(), "Nothing stands in the way."),
        (0, warnings) => {
            let warnings = count(warnings, "warning", "warnings");
            paint.with(
                Style::new().yellow().bold(),
                &format!("Nothing stands in the way; {warnings}."),
            )
        }
        (blocked, _) => {
            let things = if blocked == 1 { "One thing stands" } else { "Some things stand" };
            paint.with(Style::new().red().bold(), &format!("{things} in the way."))
        }
    };
    writeln!(text, "\n{verdict}")
}

fn each_check(text: &mut String, found: &[Check], paint: &Paint) -> std::fmt::Result {
    let width = width(found.iter().map(|check| check.title.as_str()));
    for check in found {
        // The sign and the word say the same, for those who do not see the colour.
        let (sign, word, style) = match check.outcome {
            Outcome::Passed => ("✓", "ok", Style::new().green()),
            Outcome::Warning => ("!", "warning", Style::new().yellow()),
            Outcome::Blocked => ("✗", "blocked", Style::new().red()),
        };
        let mark =
            pad_str(&format!("{sign} {word}"), 9, console::Alignment::Left, None).into_owned();
        let title = pad_str(&check.title, width, console::Alignment::Left, None);
        writeln!(text, "  {} {title}  {}", paint.with(style, &mark), check.message)?;
        if let Some(fix) = &check.fix {
            writeln!(
                text,
                "  {:width$}  {}",
                "",
                paint.dim(&format!("→ {fix}")),
                width = width + 10
            )?;
        }
    }
    Ok(())
}

/// A field's value in one line; the rest of a long one is counted.
fn value(value: &Value) -> String {
    let text = match value {
        Value::String(text) if !text.is_empty() && !text.contains(char::is_whitespace) => {
            text.clone()
        }
        Value::Array(words) if words.iter().all(Value::is_string) => {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            words.join(" ")
        }
        other => other.to_string(),
    };
    if measure_text_width(&text) <= VALUE_WIDTH {
        return text;
    }
    let kept: String = text.chars().take(VALUE_WIDTH - 1).collect();
    format!("{kept}…")
}

fn width<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(measure_text_width).max().unwrap_or(0)
}

fn count(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

#[cfg(test)]
mod tests;
