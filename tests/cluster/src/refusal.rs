//! A `towline` that says no: what it says, with which status, and that it left everything alone.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::namespace::Namespace;
use crate::towline::Finished;

impl Finished {
    /// The error that it ended with, as `-o json` gives it: `code`, `message`, `hint`, `detail`.
    ///
    /// # Errors
    /// When it gave none.
    pub fn report(&self) -> Result<Value> {
        let objects = [&self.stdout, &self.stderr].into_iter().flat_map(|text| {
            serde_json::Deserializer::from_str(text)
                .into_iter::<Value>()
                .map_while(Result::ok)
                .chain(text.lines().filter_map(|line| serde_json::from_str(line).ok()))
                .collect::<Vec<_>>()
        });
        let mut reports = objects.filter_map(|object| {
            let report =
                if object["event"] == "ended" { &object["end"]["error"] } else { &object["error"] };
            report.is_object().then(|| report.clone())
        });
        reports.next_back().with_context(|| format!("no error was reported: {self:?}"))
    }

    /// Checks that it was refused with this code and exit status, that the message names all of `named`, and that it says what to do next.
    ///
    /// # Errors
    /// With what it said instead.
    pub fn refused(&self, code: &str, status: i32, named: &[&str]) -> Result<Value> {
        let report = self.report()?;
        ensure!(report["code"] == code, "expected {code}: {report:#}");
        ensure!(
            self.status.code() == Some(status),
            "expected status {status}, it was {}: {report:#}",
            self.status
        );
        let message = report["message"].as_str().context("a report without a message")?;
        for part in named {
            ensure!(message.contains(part), "the message does not name '{part}': {report:#}");
        }
        let hint = report["hint"].as_str().unwrap_or_default();
        ensure!(!hint.is_empty(), "it does not say what to do next: {report:#}");
        Ok(report)
    }
}

impl Namespace {
    /// Checks that nothing in the namespace differs from `before`.
    ///
    /// # Errors
    /// With what differs.
    pub async fn unchanged(&self, before: &BTreeMap<String, Value>) -> Result<()> {
        let after = self.fingerprint().await?;
        let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
        let differing: Vec<String> = names
            .filter(|name| before.get(*name) != after.get(*name))
            .map(|name| {
                format!("{name}: before {:?}, after {:?}", before.get(name), after.get(name))
            })
            .collect();
        if !differing.is_empty() {
            bail!("the namespace was changed:\n{}", differing.join("\n"));
        }
        Ok(())
    }
}
