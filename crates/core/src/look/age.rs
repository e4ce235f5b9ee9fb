//! Ages in the words of kubectl.

use jiff::Timestamp;

/// The time since `then` in one unit, as lists show it: `8s`, `5m`, `7h`, `3d`. Times in the future (clocks differ) are `0s`.
pub fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(then.as_second()).max(0);
    let (minute, hour, day) = (60, 3600, 86400);
    match seconds {
        s if s < 2 * minute => format!("{s}s"),
        s if s < 2 * hour => format!("{}m", s / minute),
        s if s < 2 * day => format!("{}h", s / hour),
        s => format!("{}d", s / day),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unit() {
        for (seconds, text) in [
            (-5, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (7199, "119m"),
            (7200, "2h"),
            (172_800, "2d"),
        ] {
            let now = Timestamp::UNIX_EPOCH;
            assert_eq!(age(now - jiff::SignedDuration::from_secs(seconds), now), text);
        }
    }
}
