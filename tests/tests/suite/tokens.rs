//! Where the token comes from, and when it is renewed.

use datafy_api_ext::fake::{Fake, Fault, check};
use datafy_api_ext::{Outcome, RetryPolicy, Timeouts, Token};
use datafy_tests::{Operation, Stage};
use secrecy::SecretString;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A provider that gives `token-1`, `token-2`, .., and counts.
fn counting() -> (Token, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let token = Token::provider(move || {
        let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
        async move {
            // Whoever else wants a token gets the chance to ask for it too.
            tokio::task::yield_now().await;
            Ok::<_, std::io::Error>(format!("token-{number}"))
        }
    });
    (token, asked)
}

/// A stage whose fake takes `token` in place of its own.
async fn stage_with(token: &str, size: usize) -> Stage {
    let stage = Stage::of(size).await;
    stage.fake.rename_token(Fake::TOKEN, token);
    stage
}

#[tokio::test]
async fn a_provider_is_asked_before_the_first_request_and_not_again() {
    let stage = stage_with("token-1", 1).await;
    let (token, asked) = counting();
    let datafy = stage.builder().token(token).build().unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    for _ in 0..3 {
        Operation::Deactivate.call(&datafy, 0).await.unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn after_a_401_one_call_renews_the_token_and_all_succeed_with_one_effect() {
    let stage = stage_with("token-2", 32).await;
    let (token, asked) = counting();
    let datafy = stage.builder().token(token).retry(RetryPolicy::none()).build().unwrap();
    let calls = (0..32).map(|number| {
        let datafy = datafy.clone();
        tokio::spawn(async move { Operation::CreateSnapshot.call(&datafy, number).await })
    });
    for (number, call) in calls.collect::<Vec<_>>().into_iter().enumerate() {
        let result = call.await.unwrap();
        check(&stage.effects()[number], &result).unwrap();
        result.unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_second_401_ends_the_call() {
    let stage = stage_with("token-9", 1).await;
    let (token, asked) = counting();
    let datafy = stage.builder().token(token).build().unwrap();
    let error = Operation::CreateSnapshot.call(&datafy, 0).await.unwrap_err();
    assert_eq!((error.outcome(), error.status()), (Outcome::Refused, Some(401)));
    assert_eq!((error.attempts(), asked.load(Ordering::SeqCst)), (2, 2));
}

#[tokio::test]
async fn a_fixed_token_is_not_sent_again() {
    let stage = stage_with("another", 1).await;
    let error = Operation::CreateSnapshot.call(&stage.client(), 0).await.unwrap_err();
    assert_eq!((error.attempts(), error.status()), (1, Some(401)));
}

#[tokio::test]
async fn a_token_file_is_read_again_after_a_401() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "  token-1 ").unwrap();
    let stage = stage_with("token-1", 1).await;
    let datafy = stage.builder().token(Token::file(file.path())).build().unwrap();
    Operation::Deactivate.call(&datafy, 0).await.unwrap();

    stage.fake.rename_token("token-1", "token-2");
    std::fs::write(file.path(), "token-2\n").unwrap();
    Operation::Deactivate.call(&datafy, 0).await.unwrap();

    stage.fake.rename_token("token-2", "token-3");
    file.close().unwrap();
    let error = Operation::Deactivate.call(&datafy, 0).await.unwrap_err();
    assert_eq!((error.outcome(), error.status()), (Outcome::Refused, Some(401)));
    assert!(error.to_string().contains("; then: there is no token: the token file "), "{error}");
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let stage = Stage::of(1).await;
    let fails = Token::provider(|| async { Err::<SecretString, _>("the vault is sealed") });
    let datafy = stage.builder().token(fails).build().unwrap();
    let error = Operation::CreateSnapshot.call(&datafy, 0).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert!(
        format!("{error:#}").contains("the token provider failed: the vault is sealed"),
        "{error}"
    );
    assert_eq!(error.attempts(), 4, "a provider may recover");

    let unsendable = Token::provider(|| async { Ok::<_, std::io::Error>("a\nb".to_owned()) });
    let datafy = stage.builder().token(unsendable).build().unwrap();
    let error = Operation::CreateSnapshot.call(&datafy, 0).await.unwrap_err();
    assert_eq!((error.outcome(), error.attempts()), (Outcome::NotSent, 1));

    let hangs = Token::provider(std::future::pending::<Result<String, std::io::Error>>);
    let timeouts = Timeouts::builder().operation(Duration::from_millis(50)).build().unwrap();
    let datafy = stage.builder().token(hangs).timeouts(timeouts).build().unwrap();
    let error = Operation::CreateSnapshot.call(&datafy, 0).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert!(error.to_string().contains("no token within"), "{error}");
    assert_eq!(stage.fake.requests(), []);
}

#[tokio::test]
async fn a_token_that_is_renewed_after_a_doubt_leaves_the_doubt() {
    let stage = stage_with("token-1", 1).await;
    let (token, _) = counting();
    let datafy = stage.builder().token(token).build().unwrap();
    stage.fake.inject(Fault::ReadThenReset);
    stage.fake.inject_with(|| Some(Fault::status(401)));
    let error = Operation::Attach.call(&datafy, 0).await.unwrap_err();
    assert_eq!((error.outcome(), error.attempts()), (Outcome::Unknown, 3));
}
