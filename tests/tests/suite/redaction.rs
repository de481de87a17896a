//! The token is shown nowhere.

use datafy_api_ext::fake::Fake;
use datafy_api_ext::{Datafy, Token, VolumeId};
use datafy_tests::Listener;

const CANARY: &str = "canary-5e1f0c";

#[tokio::test]
async fn debug_of_nothing_shows_the_token() {
    let fake = Fake::start().await.unwrap();
    fake.add_account(CANARY);
    let builder = fake.client().token(CANARY);
    let built = format!("{:?} {:?} {builder:#?}", Token::fixed(CANARY), Token::from(CANARY));
    let datafy = builder.build().unwrap();
    let volume = datafy.volume(VolumeId::new("vol-1").unwrap());
    let call = volume.create_snapshot();
    let called = format!("{datafy:#?} {volume:#?} {call:#?} {:#?}", datafy.create_volume());
    let error = call.await.unwrap_err();
    let failed =
        format!("{error:#?} {error} {fake:#?} {:#?} {:#?}", fake.account(), fake.requests());
    let hooks = datafy_api::hooks::Hooks::bearer(CANARY).unwrap();
    let raw =
        datafy_api::Client::new_with_client("http://h", reqwest::Client::new(), hooks.clone());
    let shown = format!("{built} {called} {failed} {hooks:#?} {raw:#?}");
    assert!(!shown.contains(CANARY), "{shown}");
    assert!(shown.contains("vol-1"), "the test looks at what it means to");
}

#[test]
fn a_token_that_no_header_can_hold_is_refused_without_being_shown() {
    for token in [format!("{CANARY}\n"), format!("{CANARY}\0"), format!("a\r\nx: {CANARY}")] {
        let error = Datafy::builder().token(token).build().unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("a character that an HTTP header can't"), "{shown}");
        assert!(!shown.contains(CANARY), "{shown}");
    }
    let error = Datafy::builder().token("").build().unwrap_err();
    assert_eq!(error.to_string(), "the token is empty");
}

#[tokio::test]
async fn a_token_too_short_to_be_a_secret_spoils_no_answer() {
    let listener = Listener::answering_json(r#"{"description":"secrets and nightlies"}"#);
    for (token, expected) in
        [("secrets", "secrets and nightlies"), ("secrets ", "[token]and nightlies")]
    {
        let datafy = Datafy::builder().endpoint(listener.url()).token(token).build().unwrap();
        let volume = datafy.volume(VolumeId::new("vol-1").unwrap());
        let snapshot = volume.create_snapshot().await.unwrap();
        assert_eq!(snapshot.description.as_deref(), Some(expected));
    }
}
