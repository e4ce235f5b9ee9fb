//! What tokens become: looked at against the plan before anything is changed, and filled in once the session is connected.

mod filled;
mod planned;

use std::collections::BTreeSet;

use towline_core::environment::{Bytes, Environment, Origin};
use towline_core::names::SessionNames;
use towline_core::plan::Plan;
use towline_core::report::Explain;
use towline_core::session::Overlay;
use towline_core::volumes::Volume;

use self::filled::filled;
use self::planned::{in_container, there};
use crate::error::ProjectError;
use crate::token::Token;
use crate::yaml::wrong;
use crate::{Project, Variable};

/// A sentence lists at most so many names.
const LISTED: usize = 12;

/// The session as the tokens see it.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    /// Its plan.
    pub plan: &'a Plan,
    /// Its names on this machine.
    pub names: &'a SessionNames,
    /// Its volumes.
    pub volumes: &'a [Volume],
}

impl Project {
    /// Sees that each token leads to something in the session that is planned. The value are sentences about what will be missing all the same.
    ///
    /// # Errors
    /// When a token leads to nothing; the message says what there is.
    pub fn check(&self, plan: &Plan) -> Result<Vec<String>, ProjectError> {
        let mut warnings = Vec::new();
        for variable in &self.environment {
            for token in variable.value.iter().flat_map(|value| value.tokens()) {
                let warning =
                    there(plan, token).map_err(|missing| self.missing(variable, missing))?;
                warnings.extend(
                    warning.map(|warning| format!("{}: {token}: {warning}", variable.name)),
                );
            }
        }
        Ok(warnings)
    }

    /// The session's environment with the file's variables on top.
    ///
    /// # Errors
    /// When a token leads to nothing in the session as it is now.
    pub fn environment(
        &self,
        session: &Environment,
        here: &Here<'_>,
    ) -> Result<Environment, ProjectError> {
        let mut environment = session.clone();
        for variable in &self.environment {
            match &variable.value {
                None => environment.leave(&variable.name),
                Some(template) => {
                    let value = template.fill(|token| {
                        filled(token, session, here)
                            .map_err(|missing| self.missing(variable, missing))
                    })?;
                    let of_secret = |token: &Token| match token {
                        Token::Variable(name) => {
                            session.get(name).is_some_and(|variable| variable.is_secret())
                        }
                        _ => false,
                    };
                    let secret = template.tokens().any(of_secret);
                    environment.set(
                        &variable.name,
                        Bytes::from(value.into_bytes()),
                        Origin::Project { secret },
                    );
                }
            }
        }
        Ok(environment)
    }

    /// What a session puts over its environment; none where the file has no variables.
    pub fn overlay(&self) -> Option<Overlay> {
        if self.environment.is_empty() {
            return None;
        }
        let (project, before) = (self.clone(), self.clone());
        let overlay = Overlay::new(move |laid| {
            let here = Here { plan: laid.plan, names: laid.names, volumes: laid.volumes };
            project.environment(laid.environment, &here).map_err(|error| error.explain())
        });
        let tokens = |variable: &Variable| {
            let mut tokens = variable.value.iter().flat_map(|value| value.tokens());
            tokens.any(|token| matches!(token, Token::Variable(_)))
        };
        if !self.environment.iter().any(tokens) {
            return Some(overlay);
        }
        Some(overlay.checked_by(move |plan, names| {
            before.check_variables(plan, names).map_err(|error| error.explain())
        }))
    }

    /// Sees that the container that runs has the variables that the file's are made of. `names` are all that it has.
    fn check_variables(&self, plan: &Plan, names: &BTreeSet<&str>) -> Result<(), ProjectError> {
        for variable in &self.environment {
            for token in variable.value.iter().flat_map(|value| value.tokens()) {
                in_container(plan, token, names)
                    .map_err(|missing| self.missing(variable, missing))?;
            }
        }
        Ok(())
    }

    fn missing(&self, variable: &Variable, missing: Missing) -> ProjectError {
        let message = format!("{}: {}", variable.name, missing.message);
        wrong(&self.file, variable.place, message, missing.hint)
    }
}

struct Missing {
    message: String,
    hint: Option<String>,
}

fn missing<T>(message: String, hint: Option<String>) -> Result<T, Missing> {
    Err(Missing { message, hint })
}

/// What of `path` stands below `mount`, without a slash before it.
fn below<'a>(path: &'a str, mount: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(mount.trim_end_matches('/'))?;
    match rest.strip_prefix('/') {
        Some(rest) => Some(rest),
        None => rest.is_empty().then_some(""),
    }
}

/// Whether `name` is one that `pattern` means; `*` stands for any characters.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    // Each piece at the first place where it is: taking a later one leaves no more for the next.
    for piece in middle.split('*') {
        let Some((_, after)) = name.split_once(piece) else { return false };
        name = after;
    }
    name.ends_with(last)
}

fn nearest<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let distance = |name: &&&str| strsim::damerau_levenshtein(word, name);
    names.iter().min_by_key(distance).filter(|name| distance(name) <= 2).copied()
}

fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
