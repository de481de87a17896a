//! What to do after an attempt. Everything here is a pure function, so that its whole table can be
//! enumerated; the tests below do that.

use crate::client::RetryPolicy;
use crate::outcome::Outcome;
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
    /// Classifies a status by one question: can a gateway send it after forwarding the request?
    ///
    /// A gateway can send any 5xx, even one with `Retry-After`: Varnish does so by default when its backend
    /// dies, and so do common maintenance pages of nginx. 501 and 505 are about the request itself, so no
    /// backend has acted on it. 408 is a gateway's timeout, 499 is how gateways to gRPC report a call that
    /// was cancelled underway. A 303, and by custom a 302, is also how a service answers a POST that it has
    /// processed; a 101 hands the connection over to whatever answered. Codes that nobody has defined prove nothing.
    pub(crate) fn of_status(status: u16, retry_after: Option<Duration>) -> Self {
        match status {
            200..=299 => Self::Applied,
            408 | 499 => Self::Unknown { status: Some(status), retry_after },
            300 | 301 | 304 | 305 | 307 | 308 | 400..=498 | 501 | 505 => {
                Self::Refused { status, retry_after }
            }
            _ => Self::Unknown { status: Some(status), retry_after },
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
    fn allows_repeating(self, effect: Effect, policy: &RetryPolicy) -> bool {
        let converges = effect == Effect::Converge;
        match self {
            Self::NotSent { passing } => passing,
            Self::Refused { status: 429, .. } => converges || policy.creates_after_429(),
            Self::Refused { status: 425, .. } => converges,
            Self::Unknown { status: Some(503), retry_after: Some(_) } => {
                converges || policy.creates_after_503()
            }
            // Asked again, the service would show the same way elsewhere.
            Self::Unknown { status, .. } => {
                converges && !matches!(status, Some(100..=199 | 300..=399))
            }
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
    let repeatable =
        |finding: &Finding| finding.is_unauthorized() || finding.allows_repeating(effect, policy);
    if !history.iter().all(repeatable) {
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
    use crate::client::RetryPolicy;
    use crate::outcome::Outcome;
    use datafy_api::operation::Effect::{self, Converge, Create};
    use std::collections::HashMap;
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
            [101, 200, 301, 302, 400, 401, 404, 409, 425, 429, 501]
                .map(|s| Finding::of_status(s, None)),
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
        let trusting = RetryPolicy::builder().creates_after_503(true);
        let wary = RetryPolicy::builder().creates_after_429(false);
        let policies = [
            trusting.build().expect("in range"),
            wary.build().expect("in range"),
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
            for finding in history {
                let trusted = policy.creates_after_503()
                    && matches!(
                        finding,
                        Finding::Unknown { status: Some(503), retry_after: Some(_) }
                    );
                assert!(certainly_not_applied(*finding) || trusted, "{history:?}");
                let throttled = matches!(finding, Finding::Refused { status: 429, .. });
                assert!(
                    !throttled || next == Next::Renew || policy.creates_after_429(),
                    "{history:?}"
                );
            }
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

    /// What the README says of a status: the outcome, and whether creates and the other operations are
    /// retried.
    type Row = (String, [bool; 2]);

    /// The rows of the README's table by what stands in their first column: a status, or `4xx` for all
    /// that are not named.
    fn documented() -> HashMap<String, Row> {
        let readme = include_str!("../../README.md");
        let table = readme.split("| an attempt that ended with |").nth(1).expect("the table");
        let mut rows = HashMap::new();
        for line in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [evidence, outcome, create, other] = cells[..] else { panic!("{line}") };
            let row = (outcome.to_owned(), [create, other].map(|cell| cell == "retried"));
            for word in evidence.split([' ', ',', ';']).filter(|word| word.len() == 3) {
                if word.starts_with(|letter: char| letter.is_ascii_digit()) {
                    let before = rows.insert(word.to_owned(), row.clone());
                    assert_eq!(before, None, "{word} is documented twice");
                }
            }
        }
        rows
    }

    #[test]
    fn every_status_has_the_outcome_and_the_retries_that_the_readme_states() {
        let documented = documented();
        for status in 100..=599 {
            let class = format!("{}xx", status / 100);
            let row = documented.get(&status.to_string()).or_else(|| documented.get(&class));
            let (outcome, retried) = row.unwrap_or_else(|| panic!("{status} is not documented"));
            for retry_after in [None, Some(SECOND)] {
                let history = [Finding::of_status(status, retry_after)];
                assert_eq!(*outcome, format!("`{:?}`", history[0].outcome()), "{status}");
                for (effect, retried) in [Create, Converge].into_iter().zip(retried) {
                    let next = decide(effect, &history, &RetryPolicy::default(), AMPLE, || true);
                    let again = next == Next::Renew || matches!(next, Next::Repeat(_));
                    assert_eq!(again, *retried, "{effect:?} {status}");
                }
            }
        }
    }

    #[test]
    fn a_create_is_retried_after_a_503_only_if_the_policy_says_so_and_a_time_is_named() {
        let trusting = RetryPolicy::builder().creates_after_503(true).build().expect("in range");
        for (policy, retry_after, expected) in [
            (RetryPolicy::default(), Some(SECOND), false),
            (trusting, Some(SECOND), true),
            (trusting, None, false),
        ] {
            let history = [Finding::of_status(503, retry_after)];
            let next = decide(Create, &history, &policy, AMPLE, || true);
            assert_eq!(matches!(next, Next::Repeat(_)), expected, "{policy:?}");
            assert_eq!(outcome(&history), Outcome::Unknown);
        }
    }

    #[test]
    fn a_create_is_not_retried_after_a_429_if_the_policy_says_so() {
        let wary = RetryPolicy::builder().creates_after_429(false).build().expect("in range");
        let history = [Finding::of_status(429, Some(SECOND))];
        assert_eq!(decide(Create, &history, &wary, AMPLE, || true), Next::Stop(Stop::Final));
        assert!(matches!(decide(Converge, &history, &wary, AMPLE, || true), Next::Repeat(_)));
    }

    #[test]
    fn every_finding_has_an_outcome_that_claims_no_more_than_it_shows() {
        for finding in findings() {
            let expected = match finding {
                Finding::NotSent { .. } => Outcome::NotSent,
                Finding::Refused { status, .. } => {
                    assert!(!(200..300).contains(&status), "{finding:?}");
                    assert!((300..500).contains(&status) || [501, 505].contains(&status));
                    assert!(![302, 303, 408, 499].contains(&status), "{finding:?}");
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
