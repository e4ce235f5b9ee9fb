//! What this application knows that must not go into an issue.

use towline_core::redact::Redactor;

use crate::view::App;

/// Takes out secrets, servers, the names of contexts, and this user's home.
pub(super) fn redactor(app: &App) -> Redactor {
    let servers = app
        .contexts
        .contexts
        .iter()
        .filter_map(|context| context.server.as_deref())
        .chain(app.clusters.iter().filter_map(|cluster| cluster.server.as_deref()));
    let named = app.contexts.contexts.iter().flat_map(|context| [&context.name, &context.cluster]);
    let picked = app.clusters.iter().map(|cluster| &cluster.context);
    let left = app.leftovers.iter().map(|leftover| &leftover.context);
    let of_sessions = app.sessions.iter().map(|session| &session.request.context);
    let of_profiles = app.profiles.iter().map(|profile| &profile.request.context);
    let all = named.chain(picked).chain(left).chain(of_sessions).chain(of_profiles);
    Redactor::new(servers, all.map(String::as_str))
}
