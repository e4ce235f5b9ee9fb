//! Times as users write them.

use std::time::Duration;

/// A lease is renewed three times in its time; shorter than this, one slow answer of the API server would end the session.
const SHORTEST_LEASE: Duration = Duration::from_secs(5);

/// `90`, `90s`, `2m`, `1m30s`: at least a second, at most a day.
///
/// # Errors
/// A sentence for anything else.
pub fn time(text: &str) -> Result<Duration, String> {
    let expected = || format!("'{text}' is not a time such as 90s, 2m or 1m30s");
    let parsed = match text.parse::<u32>() {
        Ok(seconds) => Duration::from_secs(seconds.into()),
        Err(_) => {
            let parsed: jiff::SignedDuration = text.parse().map_err(|_| expected())?;
            Duration::try_from(parsed).map_err(|_| expected())?
        }
    };
    if parsed < Duration::from_secs(1) || parsed > Duration::from_secs(86_400) {
        return Err(format!("'{text}' is out of range: from 1s to 24h"));
    }
    Ok(parsed)
}

/// A time as [`time`] reads it.
pub(crate) fn written(time: Duration) -> String {
    let (whole, rest) = (time.as_secs(), time.subsec_nanos());
    if rest == 0 { format!("{whole}s") } else { format!("{whole}s {rest}ns") }
}

/// The same for a lease: whole seconds, because the API keeps it so, and at least 5.
///
/// # Errors
/// A sentence for anything else.
pub fn lease(text: &str) -> Result<Duration, String> {
    let parsed = time(text)?;
    if parsed < SHORTEST_LEASE || parsed.subsec_nanos() != 0 {
        return Err(format!(
            "'{text}' is no lease: whole seconds, from {} s",
            SHORTEST_LEASE.as_secs()
        ));
    }
    Ok(parsed)
}
