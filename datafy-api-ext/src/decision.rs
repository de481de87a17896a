//! What to do after an attempt. Everything here is a pure function, so that its whole table can be
//! enumerated; the tests below do that.

use crate::outcome::Outcome;
use crate::retry_policy::RetryPolicy;
use datafy_api::operation::Effect;
use std::time::Duration;

/// What an attempt that didn't succeed showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The request never reached the service. `passing`: another attempt may find it otherwise.
    NotSent { passing: bool },
    /// The service answered that it did nothing.
    Refused { status: u16, retry_after: Option<Duration> },
    /// The request was under way, and nothing certain came back.
    Unknown { status: Option<u16>, retry_after: Option<Duration> },
    /// The service answered that it did it.
    Applied,
}

impl Finding {
    /// What an answer with this status says. Doubt is the rule for what a gateway may say of a
    /// request that it has passed on: 408 and the 5xx. A 503 that names a time to come back is a
    /// refusal, as are 501 and 505, which speak of the request itself. A 303, and by custom a 302, is
    /// also how a service answers a POST that it has processed.
    pub(crate) fn of_status(status: u16, retry_after: Option<Duration>) -> Self {
        match status {
            200..=299 => Self::Applied,
            503 if retry_after.is_some() => Self::Refused { status, retry_after },
            501 | 505 => Self::Refused { status, retry_after },
            302 | 303 | 408 | 500..=999 => Self::Unknown { status: Some(status), retry_after },
            _ => Self::Refused { status, retry_after },
        }
    }

    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::NotSent { .. } => Outcome::NotSent,
            Self::Refused { .. } => Outcome::Refused,
            Self::Unknown { .. } => Outcome::Unknown,
            Self::Applied => Outcome::Applied,
        }
    }

    pub(crate) fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } | Self::Unknown { retry_after, .. } => retry_after,
            Self::NotSent { .. } | Self::Applied => None,
        }
    }

    /// The status of the answer, if one came that wasn't a success.
    pub(crate) fn status(self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(status),
            Self::Unknown { status, .. } => status,
            Self::NotSent { .. } | Self::Applied => None,
        }
    }

    fn is_unauthorized(self) -> bool {
        matches!(self, Self::Refused { status: 401, .. })
    }

    /// Whether the same request may be sent again after this: the promise of the crate.
    fn allows_repeating(self, effect: Effect) -> bool {
        match self {
            Self::NotSent { passing } => passing,
            Self::Refused { status: 429 | 503, .. } => true,
            // Asked again, the service would show the same way elsewhere.
            Self::Unknown { status: Some(302 | 303), .. } => false,
            Self::Refused { status: 425, .. } | Self::Unknown { .. } => effect == Effect::Converge,
            Self::Refused { .. } | Self::Applied => false,
        }
    }
}

/// What the call knows beside its history when it decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    /// The time in which another request may be begun.
    pub(crate) remaining: Duration,
    /// Whether the token that the service refused can be replaced by a new one.
    pub(crate) renewable: bool,
    /// Where in its range the pause lies, `0.0..1.0`.
    pub(crate) roll: f64,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// End the call with an error.
    Stop(Stop),
    /// Renew the token and send the request again.
    Renew,
    /// Send the request again after a pause.
    Repeat(Duration),
}

/// Why a call isn't repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// What was found is final for this operation.
    Final,
    /// All attempts are used up.
    Attempts,
    /// The deadline comes before the end of the pause.
    Deadline,
    /// The retry budget is empty.
    Budget,
}

/// Decides after the last attempt of `history`. `take` takes one retry out of the budget, if there
/// is one; it is asked only for a repetition that all else allows.
pub(crate) fn decide(
    effect: Effect,
    history: &[Finding],
    policy: &RetryPolicy,
    situation: Situation,
    take: impl FnOnce() -> bool,
) -> Next {
    let Some(last) = history.last().copied() else { return Next::Stop(Stop::Final) };
    if last.is_unauthorized() {
        let first = history.iter().filter(|finding| finding.is_unauthorized()).count() == 1;
        let doubtful = effect == Effect::Create && outcome(history) > Outcome::Refused;
        return match first && situation.renewable && !doubtful {
            true if situation.remaining.is_zero() => Next::Stop(Stop::Deadline),
            true => Next::Renew,
            false => Next::Stop(Stop::Final),
        };
    }
    if !history.iter().all(|finding| finding.is_unauthorized() || finding.allows_repeating(effect))
    {
        return Next::Stop(Stop::Final);
    }
    // The attempt with the stale token is not counted: renewing it is no matter of the policy.
    let repetitions = history.iter().filter(|finding| !finding.is_unauthorized()).count();
    if repetitions >= policy.attempts() as usize {
        return Next::Stop(Stop::Attempts);
    }
    let pause = policy.pause(repetitions, last.retry_after(), situation.roll);
    if pause >= situation.remaining {
        Next::Stop(Stop::Deadline)
    } else if take() {
        Next::Repeat(pause)
    } else {
        Next::Stop(Stop::Budget)
    }
}

/// What became of a call whose attempts showed this: as far as the farthest of them. A later refusal
/// doesn't undo an earlier doubt.
pub(crate) fn outcome(history: &[Finding]) -> Outcome {
    history.iter().map(|finding| finding.outcome()).max().unwrap_or(Outcome::NotSent)
}

#[cfg(test)]
mod tests {
    use super::{Finding, Next, Situation, Stop, decide, outcome};
    use crate::outcome::Outcome;
    use crate::retry_policy::RetryPolicy;
    use datafy_api::operation::Effect::{self, Converge, Create};
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);
    const AMPLE: Situation =
        Situation { remaining: Duration::from_secs(600), renewable: true, roll: 0.5 };

    /// Everything that an attempt can show: both forms of `NotSent`, no answer, and every status with
    /// and without a time to come back.
    fn findings() -> Vec<Finding> {
        let mut all = vec![
            Finding::NotSent { passing: true },
            Finding::NotSent { passing: false },
            Finding::Unknown { status: None, retry_after: None },
            Finding::Applied,
        ];
        for status in 100..=999 {
            for retry_after in [None, Some(SECOND)] {
                let finding = Finding::of_status(status, retry_after);
                if !all.contains(&finding) {
                    all.push(finding);
                }
            }
        }
        all
    }

    /// One of each kind of finding, for the histories; the statuses alike are tested alone.
    fn kinds() -> Vec<Finding> {
        let mut all = vec![
            Finding::NotSent { passing: true },
            Finding::NotSent { passing: false },
            Finding::Unknown { status: None, retry_after: None },
        ];
        all.extend(
            [200, 301, 302, 400, 401, 404, 409, 425, 429, 501].map(|s| Finding::of_status(s, None)),
        );
        all.extend([404, 429, 500, 503].map(|s| Finding::of_status(s, Some(SECOND))));
        all
    }

    /// Calls `visit` with every history of up to four of the `kinds`.
    fn histories(visit: &mut dyn FnMut(&[Finding])) {
        fn extend(
            kinds: &[Finding],
            history: &mut Vec<Finding>,
            visit: &mut dyn FnMut(&[Finding]),
        ) {
            for kind in kinds {
                history.push(*kind);
                visit(history);
                if history.len() < 4 {
                    extend(kinds, history, visit);
                }
                history.pop();
            }
        }
        extend(&kinds(), &mut Vec::new(), visit);
    }

    fn certainly_not_applied(finding: Finding) -> bool {
        matches!(finding, Finding::NotSent { .. } | Finding::Refused { .. })
    }

    #[test]
    fn no_history_of_up_to_four_attempts_lets_a_call_break_its_promise() {
        let policies = [
            RetryPolicy::none(),
            RetryPolicy::builder().attempts(2).build().expect("in range"),
            RetryPolicy::default(),
            RetryPolicy::builder().attempts(10).build().expect("in range"),
        ];
        let situations = [
            AMPLE,
            Situation { renewable: false, ..AMPLE },
            Situation { remaining: Duration::ZERO, ..AMPLE },
            Situation { remaining: SECOND, roll: 0.999, ..AMPLE },
        ];
        let mut decisions = 0_u64;
        histories(&mut |history| {
            for effect in [Create, Converge] {
                for policy in policies {
                    for situation in situations {
                        for budget in [true, false] {
                            let mut taken = false;
                            let next = decide(effect, history, &policy, situation, || {
                                taken = true;
                                budget
                            });
                            holds(effect, history, &policy, situation, budget, taken, next);
                            decisions += 1;
                        }
                    }
                }
            }
        });
        assert!(decisions > 4_000_000, "only {decisions} decisions were seen");
    }

    fn holds(
        effect: Effect,
        history: &[Finding],
        policy: &RetryPolicy,
        situation: Situation,
        budget: bool,
        taken: bool,
        next: Next,
    ) {
        let last = history[history.len() - 1];
        let again = next == Next::Renew || matches!(next, Next::Repeat(_));
        let unauthorized =
            |finding: &&Finding| matches!(finding, Finding::Refused { status: 401, .. });
        let stale = history.iter().filter(unauthorized).count();

        if again && effect == Create {
            assert!(history.iter().all(|finding| certainly_not_applied(*finding)), "{history:?}");
        }
        if again {
            assert_ne!(last, Finding::Applied, "{history:?}");
            assert!(!situation.remaining.is_zero(), "{history:?}");
        }
        if let Next::Repeat(pause) = next {
            assert!(pause < situation.remaining, "{history:?}");
            assert!(last.retry_after().is_none_or(|wait| pause >= wait), "{history:?}");
            assert!(history.len() - stale < policy.attempts() as usize, "{history:?}");
            assert!(taken && budget, "{history:?}");
        }
        assert!(
            !taken || matches!(next, Next::Repeat(_) | Next::Stop(Stop::Budget)),
            "{history:?}"
        );
        if next == Next::Renew {
            assert!(stale == 1 && unauthorized(&&last) && situation.renewable, "{history:?}");
        }

        let outcome = outcome(history);
        match outcome {
            Outcome::NotSent => {
                assert!(history.iter().all(|one| matches!(one, Finding::NotSent { .. })));
            }
            Outcome::Refused => assert!(history.iter().all(|one| certainly_not_applied(*one))),
            Outcome::Unknown => assert!(!history.contains(&Finding::Applied)),
            Outcome::Applied => assert!(history.contains(&Finding::Applied)),
        }
    }

    #[test]
    fn every_status_is_repeated_as_the_table_says_and_no_other() {
        for retry_after in [None, Some(SECOND)] {
            for status in 100..=999 {
                for effect in [Create, Converge] {
                    let history = [Finding::of_status(status, retry_after)];
                    let situation = Situation { renewable: false, ..AMPLE };
                    let next =
                        decide(effect, &history, &RetryPolicy::default(), situation, || true);
                    let expected = match (effect, status) {
                        (_, 429) => true,
                        (_, 503) if retry_after.is_some() => true,
                        (Create, _) | (Converge, 501 | 505) => false,
                        (Converge, _) => matches!(status, 408 | 425 | 500..=999),
                    };
                    assert_eq!(matches!(next, Next::Repeat(_)), expected, "{effect:?} {status}");
                }
            }
        }
    }

    #[test]
    fn every_finding_has_an_outcome_that_claims_no_more_than_it_shows() {
        for finding in findings() {
            let expected = match finding {
                Finding::NotSent { .. } => Outcome::NotSent,
                Finding::Refused { status, retry_after } => {
                    assert!(!(200..300).contains(&status), "{finding:?}");
                    assert!(status < 500 || retry_after.is_some() || [501, 505].contains(&status));
                    assert!(![302, 303, 408].contains(&status), "{finding:?}");
                    Outcome::Refused
                }
                Finding::Unknown { .. } => Outcome::Unknown,
                Finding::Applied => Outcome::Applied,
            };
            assert_eq!(outcome(&[finding]), expected);
        }
    }

    #[test]
    fn a_refusal_after_a_doubt_leaves_the_doubt() {
        let doubt = Finding::Unknown { status: None, retry_after: None };
        for status in [404, 409] {
            assert_eq!(outcome(&[doubt, Finding::of_status(status, None)]), Outcome::Unknown);
        }
    }

    #[test]
    fn the_pause_doubles_up_to_the_cap_and_is_drawn_from_zero() {
        let policy = RetryPolicy::builder()
            .base(SECOND)
            .cap(5 * SECOND)
            .retry_after_cap(30 * SECOND)
            .build()
            .expect("in range");
        let ceilings: Vec<_> = (1..=5).map(|n| policy.pause(n, None, 1.0).as_secs()).collect();
        assert_eq!(ceilings, [1, 2, 4, 5, 5]);
        assert_eq!(policy.pause(3, None, 0.0), Duration::ZERO);
        assert_eq!(policy.pause(3, None, 0.5), 2 * SECOND);
        assert_eq!(policy.pause(u32::MAX as usize, None, 1.0), 5 * SECOND);
    }

    #[test]
    fn a_time_to_come_back_is_waited_in_full_jittered_upward_and_capped() {
        let policy = RetryPolicy::builder().base(SECOND).build().expect("in range");
        assert_eq!(policy.pause(1, Some(7 * SECOND), 0.0), 7 * SECOND);
        assert_eq!(policy.pause(1, Some(7 * SECOND), 0.5), Duration::from_millis(7500));
        assert_eq!(policy.pause(1, Some(3600 * SECOND), 0.0), 60 * SECOND);
    }

    #[test]
    fn a_time_to_come_back_past_the_deadline_ends_the_call_at_once() {
        let busy = [Finding::of_status(429, Some(20 * SECOND))];
        let situation = Situation { remaining: 20 * SECOND, ..AMPLE };
        let next = decide(Create, &busy, &RetryPolicy::default(), situation, || {
            panic!("the budget is not touched")
        });
        assert_eq!(next, Next::Stop(Stop::Deadline));
    }
}
