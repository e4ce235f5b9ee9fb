//! What a workload's lease says about the session that holds it.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use serde::Serialize;
use towline_workload::SessionRecord;
use towline_workload::names::SESSION_ANNOTATION;

/// A lease as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeaseState {
    /// The session that holds it.
    pub holder: String,
    /// Whose session it is, where that can be read.
    pub record: Option<SessionRecord>,
    /// When its client last said that it is there, by that client's clock.
    pub renewed: Option<Timestamp>,
    /// How long it holds after that, in seconds.
    pub seconds: u32,
    /// Whether it has run out, by this machine's clock.
    pub lapsed: bool,
}

impl LeaseState {
    /// Reads a lease.
    pub fn of(lease: &Lease, now: Timestamp) -> Self {
        let spec = lease.spec.clone().unwrap_or_default();
        let annotation =
            lease.metadata.annotations.as_ref().and_then(|all| all.get(SESSION_ANNOTATION));
        let renewed = spec.renew_time.map(|time| time.0);
        let seconds = u32::try_from(spec.lease_duration_seconds.unwrap_or(0)).unwrap_or(0);
        let end = |renewed: Timestamp| renewed + SignedDuration::from_secs(i64::from(seconds));
        Self {
            holder: spec.holder_identity.unwrap_or_default(),
            record: annotation.and_then(|text| SessionRecord::parse(text)),
            renewed,
            seconds,
            lapsed: renewed.is_none_or(|renewed| now > end(renewed)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_lease_lapses_when_its_duration_is_over() {
        let lease: Lease = serde_json::from_value(json!({
            "metadata": {"name": "towline-deploy-orders"},
            "spec": {"holderIdentity": "0123456789ab", "leaseDurationSeconds": 120, "renewTime": "2026-01-02T03:04:05.000000Z"},
        }))
        .unwrap();
        let at = |text: &str| LeaseState::of(&lease, text.parse().unwrap()).lapsed;
        assert!(!at("2026-01-02T03:06:05Z"));
        assert!(at("2026-01-02T03:06:06Z"));
        assert!(LeaseState::of(&Lease::default(), Timestamp::UNIX_EPOCH).lapsed);
    }
}
