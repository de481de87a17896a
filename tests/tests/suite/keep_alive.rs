//! The race that no client can win: the service closes an idle connection while a request is on its way.

use datafy_api_ext::fake::{Fault, check};
use datafy_api_ext::{Outcome, RetryPolicy};
use datafy_tests::{Operation, Stage};

const CALLS: usize = 2_000;
const AT_A_TIME: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_race_the_closing_of_idle_connections_have_one_effect_at_most() {
    let stage = Stage::of(CALLS).await;
    let datafy = stage.builder().retry(RetryPolicy::none()).build().unwrap();
    stage.fake.inject_with(|| Some(Fault::CloseIdle));
    let workers = (0..AT_A_TIME).map(|worker| {
        let datafy = datafy.clone();
        tokio::spawn(async move {
            let mut results = Vec::new();
            for number in (worker..CALLS).step_by(AT_A_TIME) {
                results.push((number, Operation::CreateSnapshot.call(&datafy, number).await));
            }
            results
        })
    });
    let mut outcomes = Vec::new();
    let effects = {
        let mut results = Vec::new();
        for worker in workers.collect::<Vec<_>>() {
            results.extend(worker.await.unwrap());
        }
        let effects = stage.effects();
        for (number, result) in results {
            check(&effects[number], &result).unwrap();
            outcomes.push(result.err().map(|error| error.outcome()));
        }
        effects
    };
    let count = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    let (ok, unknown) = (count(None), count(Some(Outcome::Unknown)));
    println!(
        "{CALLS} calls on connections that close when idle: {ok} ok, {unknown} unknown, {} not sent",
        count(Some(Outcome::NotSent))
    );
    assert!(ok > 0 && outcomes.len() == CALLS);
    assert!(effects.iter().all(|effects| effects.len() <= 1));
}
