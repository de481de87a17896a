//! Decides what to do after a failed attempt: a pure function, so that its whole table can be tested.

use super::evidence::{Evidence, outcome};
use crate::client::RetryPolicy;
use crate::outcome::Outcome;
use std::time::Duration;

/// What the decision depends on besides the evidence and the policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    /// The time that is left to start another request.
    pub(crate) remaining: Duration,
    /// Whether a rejected token can be renewed.
    pub(crate) renewable: bool,
    /// The position of the pause in its range, `0.0..1.0`.
    pub(crate) jitter: f64,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// End the call with an error.
    Stop(Stop),
    /// Renew the token, then retry.
    Renew,
    /// Retry after a pause.
    Retry(Duration),
}

/// Why a call is not retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// A retry isn't safe, or can't succeed.
    Final,
    /// The policy allows no more attempts.
    Attempts,
    /// The pause would end after the deadline.
    Deadline,
    /// The retry budget is empty.
    Budget,
}

/// Decides what to do after the last attempt of `history`.
///
/// `take_retry` takes a retry from the budget, and returns whether there was one. It is only called if everything
/// else permits the retry.
pub(crate) fn decide(
    idempotent: bool,
    history: &[Evidence],
    policy: &RetryPolicy,
    situation: Situation,
    take_retry: impl FnOnce() -> bool,
) -> Next {
    let Some(last) = history.last().copied() else { return Next::Stop(Stop::Final) };
    let rejected_tokens = history.iter().filter(|evidence| evidence.is_unauthorized()).count();
    if last.is_unauthorized() {
        let safe = idempotent || outcome(history) <= Outcome::Refused;
        if rejected_tokens > 1 || !situation.renewable || !safe {
            return Next::Stop(Stop::Final);
        }
        if situation.remaining.is_zero() {
            return Next::Stop(Stop::Deadline);
        }
        return Next::Renew;
    }
    let safe = |evidence: &Evidence| {
        evidence.is_unauthorized() || evidence.permits_retry(idempotent, policy)
    };
    if !history.iter().all(safe) {
        return Next::Stop(Stop::Final);
    }
    // The policy doesn't limit the renewal of a token, so the attempt with the rejected one doesn't count.
    let attempts = history.len() - rejected_tokens;
    if attempts >= policy.attempts as usize {
        return Next::Stop(Stop::Attempts);
    }
    let pause = policy.pause(attempts, last.retry_after(), situation.jitter);
    if pause >= situation.remaining {
        Next::Stop(Stop::Deadline)
    } else if take_retry() {
        Next::Retry(pause)
    } else {
        Next::Stop(Stop::Budget)
    }
}

#[cfg(test)]
mod tests {
    use super::super::evidence::{Evidence, outcome};
    use super::{Next, Situation, Stop, decide};
    use crate::client::RetryPolicy;
    use crate::outcome::Outcome;
    use std::collections::HashMap;
    use std::thread;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);
    const AMPLE: Situation =
        Situation { remaining: Duration::from_secs(600), renewable: true, jitter: 0.5 };

    /// One piece of evidence of each kind.
    fn kinds() -> Vec<Evidence> {
        let mut all = vec![
            Evidence::NotSent { transient: true },
            Evidence::NotSent { transient: false },
            Evidence::Ambiguous { status: None, retry_after: None },
        ];
        all.extend(
            [101, 200, 301, 302, 400, 401, 404, 409, 425, 429, 501]
                .map(|s| Evidence::of_status(s, None)),
        );
        all.extend([404, 429, 500, 503].map(|s| Evidence::of_status(s, Some(SECOND))));
        all
    }

    /// Calls `visit` with every history of up to four of the `kinds`.
    fn histories(visit: &mut dyn FnMut(&[Evidence])) {
        fn extend(
            kinds: &[Evidence],
            history: &mut Vec<Evidence>,
            visit: &mut dyn FnMut(&[Evidence]),
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

    fn certainly_not_applied(evidence: Evidence) -> bool {
        matches!(evidence, Evidence::NotSent { .. } | Evidence::Rejected { .. })
    }

    #[test]
    fn no_history_of_up_to_four_attempts_leads_to_an_unsafe_retry_or_a_wrong_outcome() {
        let policies = [
            RetryPolicy { creates_after_503: true, ..RetryPolicy::default() },
            RetryPolicy { creates_after_429: false, ..RetryPolicy::default() },
            RetryPolicy::none(),
            RetryPolicy { attempts: 2, ..RetryPolicy::default() },
            RetryPolicy::default(),
            RetryPolicy { attempts: 10, ..RetryPolicy::default() },
        ];
        let situations = [
            AMPLE,
            Situation { renewable: false, ..AMPLE },
            Situation { remaining: Duration::ZERO, ..AMPLE },
            Situation { remaining: SECOND, jitter: 0.999, ..AMPLE },
        ];
        let decisions_of = |idempotent| {
            let mut decisions = 0_u64;
            histories(&mut |history| {
                for policy in policies {
                    for situation in situations {
                        for budget in [true, false] {
                            let mut taken = false;
                            let next = decide(idempotent, history, &policy, situation, || {
                                taken = true;
                                budget
                            });
                            holds(idempotent, history, &policy, situation, budget, taken, next);
                            decisions += 1;
                        }
                    }
                }
            });
            decisions
        };
        let decisions = thread::scope(|scope| {
            let of_idempotent = scope.spawn(|| decisions_of(true));
            decisions_of(false) + of_idempotent.join().expect("no panic")
        });
        assert!(decisions > 4_000_000, "only {decisions} decisions were seen");
    }

    fn holds(
        idempotent: bool,
        history: &[Evidence],
        policy: &RetryPolicy,
        situation: Situation,
        budget: bool,
        taken: bool,
        next: Next,
    ) {
        let last = history[history.len() - 1];
        let again = next == Next::Renew || matches!(next, Next::Retry(_));
        let unauthorized =
            |evidence: &&Evidence| matches!(evidence, Evidence::Rejected { status: 401, .. });
        let stale = history.iter().filter(unauthorized).count();

        if again && !idempotent {
            for evidence in history {
                let trusted = policy.creates_after_503
                    && matches!(
                        evidence,
                        Evidence::Ambiguous { status: Some(503), retry_after: Some(_) }
                    );
                assert!(certainly_not_applied(*evidence) || trusted, "{history:?}");
                let throttled = matches!(evidence, Evidence::Rejected { status: 429, .. });
                assert!(
                    !throttled || next == Next::Renew || policy.creates_after_429,
                    "{history:?}"
                );
            }
        }
        if again {
            assert_ne!(last, Evidence::Applied, "{history:?}");
            assert!(!situation.remaining.is_zero(), "{history:?}");
        }
        if let Next::Retry(pause) = next {
            assert!(pause < situation.remaining, "{history:?}");
            assert!(last.retry_after().is_none_or(|wait| pause >= wait), "{history:?}");
            assert!(history.len() - stale < policy.attempts as usize, "{history:?}");
            assert!(taken && budget, "{history:?}");
        }
        assert!(!taken || matches!(next, Next::Retry(_) | Next::Stop(Stop::Budget)), "{history:?}");
        if next == Next::Renew {
            assert!(stale == 1 && unauthorized(&&last) && situation.renewable, "{history:?}");
        }

        let outcome = outcome(history);
        match outcome {
            Outcome::NotSent => {
                assert!(history.iter().all(|one| matches!(one, Evidence::NotSent { .. })));
            }
            Outcome::Refused => assert!(history.iter().all(|one| certainly_not_applied(*one))),
            Outcome::Unknown => assert!(!history.contains(&Evidence::Applied)),
            Outcome::Applied => assert!(history.contains(&Evidence::Applied)),
        }
    }

    /// What the guide says about a status: the outcome, and whether creates and the other operations are retried.
    type Row = (String, [bool; 2]);

    /// The rows of its table by the words in their first column: a status, or `4xx` for all other statuses of
    /// that class.
    fn documented() -> HashMap<String, Row> {
        let page = include_str!("../../guide/retries.md");
        let table = page.split("| an attempt that ended with |").nth(1).expect("the table");
        let mut rows = HashMap::new();
        for line in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [evidence, outcome, create, other] = cells[..] else { panic!("{line}") };
            let row = (outcome.to_owned(), [create, other].map(|cell| cell == "retried"));
            // What isn't about a status, as a whole.
            if evidence.starts_with(|letter: char| letter.is_ascii_lowercase()) {
                rows.insert(evidence.to_owned(), row.clone());
            }
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
    fn all_evidence_has_the_outcome_and_the_retries_that_the_guide_states() {
        let documented = documented();
        let check = |name: &str, evidence: Evidence, (outcome, retried): &Row| {
            assert_eq!(*outcome, format!("`{:?}`", evidence.outcome()), "{name}");
            for (idempotent, retried) in [false, true].into_iter().zip(retried) {
                let next = decide(idempotent, &[evidence], &RetryPolicy::default(), AMPLE, || true);
                let again = next == Next::Renew || matches!(next, Next::Retry(_));
                assert_eq!(again, *retried, "idempotent {idempotent}: {name}");
            }
        };
        for status in 100..=599 {
            let class = format!("{}xx", status / 100);
            let row = documented.get(&status.to_string()).or_else(|| documented.get(&class));
            let row = row.unwrap_or_else(|| panic!("{status} is not documented"));
            for retry_after in [None, Some(SECOND)] {
                check(&status.to_string(), Evidence::of_status(status, retry_after), row);
            }
        }
        let ambiguous = |status| Evidence::Ambiguous { status, retry_after: None };
        let others = [
            ("no connection, ", Evidence::NotSent { transient: true }),
            ("an invalid certificate, ", Evidence::NotSent { transient: false }),
            ("a connection that was reset, ", ambiguous(None)),
            ("a success that is not the service's answer ", ambiguous(Some(200))),
        ];
        let is_other = |name: &&String| name.starts_with(|it: char| it.is_ascii_lowercase());
        assert_eq!(documented.keys().filter(is_other).count(), others.len());
        for (start, evidence) in others {
            let mut rows = documented.iter().filter(|(name, _)| name.starts_with(start));
            check(start, evidence, rows.next().expect(start).1);
        }
    }

    #[test]
    fn a_create_is_retried_after_a_503_only_with_retry_after_and_if_the_policy_allows_it() {
        let trusting = RetryPolicy { creates_after_503: true, ..RetryPolicy::default() };
        for (policy, retry_after, expected) in [
            (RetryPolicy::default(), Some(SECOND), false),
            (trusting, Some(SECOND), true),
            (trusting, None, false),
        ] {
            let history = [Evidence::of_status(503, retry_after)];
            let next = decide(false, &history, &policy, AMPLE, || true);
            assert_eq!(matches!(next, Next::Retry(_)), expected, "{policy:?}");
            assert_eq!(outcome(&history), Outcome::Unknown);
        }
    }

    #[test]
    fn a_create_is_not_retried_after_a_429_if_the_policy_forbids_it() {
        let wary = RetryPolicy { creates_after_429: false, ..RetryPolicy::default() };
        let history = [Evidence::of_status(429, Some(SECOND))];
        assert_eq!(decide(false, &history, &wary, AMPLE, || true), Next::Stop(Stop::Final));
        assert!(matches!(decide(true, &history, &wary, AMPLE, || true), Next::Retry(_)));
    }

    #[test]
    fn the_pause_doubles_up_to_the_cap_and_is_drawn_from_zero() {
        let policy = RetryPolicy { base: SECOND, cap: 5 * SECOND, ..RetryPolicy::default() };
        let ceilings: Vec<_> = (1..=5).map(|n| policy.pause(n, None, 1.0).as_secs()).collect();
        assert_eq!(ceilings, [1, 2, 4, 5, 5]);
        assert_eq!(policy.pause(3, None, 0.0), Duration::ZERO);
        assert_eq!(policy.pause(3, None, 0.5), 2 * SECOND);
        assert_eq!(policy.pause(u32::MAX as usize, None, 1.0), 5 * SECOND);
    }

    #[test]
    fn the_pause_is_at_least_the_retry_after_up_to_its_cap() {
        let policy = RetryPolicy { base: SECOND, ..RetryPolicy::default() };
        assert_eq!(policy.pause(1, Some(7 * SECOND), 0.0), 7 * SECOND);
        assert_eq!(policy.pause(1, Some(7 * SECOND), 0.5), Duration::from_millis(7500));
        assert_eq!(policy.pause(1, Some(3600 * SECOND), 0.0), 60 * SECOND);
    }

    #[test]
    fn a_retry_after_past_the_deadline_ends_the_call() {
        let busy = [Evidence::of_status(429, Some(20 * SECOND))];
        let situation = Situation { remaining: 20 * SECOND, ..AMPLE };
        let next = decide(false, &busy, &RetryPolicy::default(), situation, || {
            panic!("the budget must not be used")
        });
        assert_eq!(next, Next::Stop(Stop::Deadline));
    }
}
