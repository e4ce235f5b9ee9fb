//! `towline diagnostics`: what is wrong with this machine and the cluster, each with one fix; the sessions that run here; a report for an issue.

mod bundle;
mod check;
mod checks;
mod clusters;

use console::Style;
use serde::Serialize;
use towline_core::environment::Environment;
use towline_core::journal::{Entry, Journal};
use towline_core::names::{SessionNames, running};

use self::check::{Check, Tone};
use crate::arguments::{DiagnosticsArguments, Format};
use crate::dns::{self, Row};
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;

/// All that is found out.
#[derive(Debug, Serialize)]
struct Findings {
    version: &'static str,
    checks: Vec<Check>,
    sessions: Vec<Session>,
}

/// A session of this user's that runs here.
#[derive(Debug, Serialize)]
struct Session {
    session: String,
    workload: String,
    context: String,
    pid: u32,
    /// Names and where they come from. Values are for `towline env`.
    environment: Vec<Variable>,
    /// Every port with a test of it.
    dns: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Variable {
    name: String,
    from: String,
    rewritten: bool,
    stays_local: bool,
}

/// The exit status: 1 where something is wrong.
pub(crate) async fn run(arguments: &DiagnosticsArguments) -> Result<u8, Failure> {
    let format = arguments.output.output;
    let mut progress = Progress::new(format);
    progress.step("looking at this machine");
    let mut checks = checks::of_machine(arguments.kubeconfig.as_deref());
    checks.extend(checks::helper().await);
    let mut known = Vec::new();
    match running(&Journal::of_user()) {
        Ok(found) => known = found,
        Err(error) => checks.push(Check::bad(
            "sessions",
            format!("{error}."),
            "Make the directory readable for yourself.",
        )),
    }
    progress.step("trying the sessions' names");
    let mut sessions = Vec::new();
    for (entry, names) in &known {
        sessions.push(session(entry, names.as_ref()).await);
    }
    checks.extend(sessions.iter().map(of_session));
    if !arguments.offline {
        progress.step("looking at the clusters");
        let picked = clusters::picked(arguments, known.iter().map(|(entry, _)| entry));
        checks.extend(clusters::checks(&picked).await);
    }
    progress.done();
    let findings = Findings { version: env!("CARGO_PKG_VERSION"), checks, sessions };
    match format {
        Format::Json => output::json(&findings),
        Format::Text => output::print(text(&findings, console::colors_enabled()).as_bytes()),
    }
    if let Some(file) = &arguments.bundle {
        bundle::write(file, &findings, arguments.kubeconfig.as_deref())?;
        output::complain(&format!(
            "The report is in {}. Read it before you pass it on.",
            file.display()
        ));
    }
    Ok(u8::from(findings.checks.iter().any(|check| check.tone == Tone::Bad)))
}

async fn session(entry: &Entry, names: Option<&SessionNames>) -> Session {
    let environment = Environment::of_session(&entry.directory).ok().flatten().unwrap_or_default();
    let variable = |variable: &towline_core::environment::EnvironmentVariable| Variable {
        name: variable.name.clone(),
        from: variable.origin.to_string(),
        rewritten: variable.cluster_value.is_some(),
        stays_local: variable.stays_local,
    };
    let mut dns = names.map(dns::rows).unwrap_or_default();
    if let Some(names) = names {
        dns::test(names, &mut dns).await;
    }
    Session {
        session: entry.session.to_string(),
        workload: entry.workload.to_string(),
        context: entry.context.clone(),
        pid: entry.pid,
        environment: environment.variables.iter().map(variable).collect(),
        dns,
    }
}

fn of_session(session: &Session) -> Check {
    let title = format!("session {}", session.session);
    let failed: Vec<&Row> = session.dns.iter().filter(|row| row.failed()).collect();
    let all = session.dns.len();
    let count = session.environment.len();
    match failed.first() {
        None => Check::good(
            &title,
            format!("{}: {count} variables, {all} ports that all answer.", session.workload),
        ),
        Some(first) => {
            let columns = dns::columns(first);
            let first = format!("{}: {}", columns[0], columns.last().map_or("", String::as_str));
            let message = format!(
                "{}: {} of {all} ports do not answer, such as {first}.",
                session.workload,
                failed.len()
            );
            Check::warning(
                &title,
                message,
                "See whether these services have pods that run; `towline dns --test` lists them all.",
            )
        }
    }
}

fn text(findings: &Findings, colours: bool) -> String {
    let mut text = String::new();
    let width = findings.checks.iter().map(|check| check.title.len()).max().unwrap_or(0);
    for check in &findings.checks {
        let (sign, word, style) = match check.tone {
            Tone::Good => ("✓", "ok", Style::new().green()),
            Tone::Neutral => ("-", "", Style::new()),
            Tone::Warning => ("!", "warning", Style::new().yellow()),
            Tone::Bad => ("✗", "wrong", Style::new().red()),
        };
        let mark =
            style.force_styling(colours).apply_to(format!("{:<9}", format!("{sign} {word}")));
        text += &format!("{mark} {:width$}  {}\n", check.title, check.message);
        if let Some(fix) = &check.fix {
            text += &format!("{:>9} {:width$}  → {fix}\n", "", "");
        }
    }
    for session in &findings.sessions {
        text += &format!(
            "\nSession {} on {} (process {})\n",
            session.session, session.workload, session.pid
        );
        let header = ["NAME", "HERE", "IN THE CLUSTER", "TEST"];
        text += &output::table(&header, session.dns.iter().map(dns::columns));
        let names: Vec<&str> =
            session.environment.iter().map(|variable| variable.name.as_str()).collect();
        text += &format!("variables: {}\n", names.join(" "));
    }
    text
}
