//! A restore reports every volume that it created, and can be resumed.

use datafy_api_ext::fake::{Answer, Fault};
use datafy_api_ext::jobs::{Restore, RestoreStep};
use datafy_api_ext::{Datafy, DatafySnapshotId, DeviceName, InstanceId, Outcome};
use datafy_tests::Stage;
use serde_json::json;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn restore(datafy: &Datafy) -> Restore {
    let snapshot = DatafySnapshotId::new("dsnap-seed0").unwrap();
    let instance = InstanceId::new("i-1").unwrap();
    datafy.restore(snapshot).attach_to(instance, DeviceName::new("/dev/sdb").unwrap())
}

#[tokio::test]
async fn a_volume_is_created_and_attached() {
    let stage = Stage::of(1).await;
    let volume = restore(&stage.client()).await.unwrap();
    let volume = stage.fake.account().volume(&volume).unwrap();
    assert_eq!(volume.attachment.unwrap().device.as_str(), "/dev/sdb");
    assert_eq!(stage.fake.effects().len(), 2);
}

#[tokio::test]
async fn a_failed_attach_names_the_volume_and_can_be_resumed() {
    let stage = Stage::of(1).await;
    stage.fake.inject_none();
    stage.fake.inject(Fault::status(409));
    let error = restore(&stage.client()).await.unwrap_err();
    assert_eq!((error.step(), error.outcome()), (RestoreStep::AttachVolume, Outcome::Refused));
    let volume = error.volume_id().unwrap().clone();
    let line =
        format!("volume {volume} was created but not attached: attach_volume was refused: 409");
    assert!(format!("{error:#}").starts_with(&line), "{error:#}");
    assert_eq!(error.resume().unwrap().await.unwrap(), volume);
    assert_eq!(stage.fake.account().volumes().len(), 2, "no second volume was made");
    assert!(stage.fake.account().volume(&volume).unwrap().attachment.is_some());
}

#[tokio::test]
async fn a_refused_create_can_be_resumed_and_an_ambiguous_one_can_not() {
    let stage = Stage::of(1).await;
    stage.fake.inject(Fault::status(403));
    let error = restore(&stage.client()).await.unwrap_err();
    assert_eq!((error.step(), error.volume_id()), (RestoreStep::CreateVolume, None));
    error.resume().unwrap().await.unwrap();

    for (fault, outcome) in [
        (Fault::ApplyThenReset, Outcome::Unknown),
        (Fault::apply_then_malformed(), Outcome::Applied),
        (Fault::ApplyThenAnswer(Answer::json(200, &json!({}))), Outcome::Applied),
    ] {
        let stage = Stage::of(1).await;
        stage.fake.inject(fault);
        let error = restore(&stage.client()).await.unwrap_err();
        assert_eq!(
            (error.step(), error.outcome()),
            (RestoreStep::CreateVolume, outcome),
            "{error}"
        );
        assert!(error.resume().is_err());
        assert_eq!(stage.fake.effects().len(), 1);
    }
}

#[tokio::test]
async fn a_volume_is_attached_if_the_cut_answer_still_names_it() {
    let stage = Stage::of(1).await;
    let body = r#"{"volumeId":"vol-00000000000000001","volumeSizeGB":"#;
    stage.fake.inject(Fault::ApplyThenAnswer(Answer::json(200, &json!({})).body(body)));
    let volume = restore(&stage.client()).await.unwrap();
    assert!(stage.fake.account().volume(&volume).unwrap().attachment.is_some());
}

#[tokio::test]
async fn an_attach_is_retried_until_the_volume_is_ready() {
    let stage = Stage::of(1).await;
    stage.fake.inject_none();
    for status in [409, 404, 422, 409, 409, 409, 500, 409] {
        stage.fake.inject(Fault::status(status));
    }
    let volume = restore(&stage.client()).attach_within(10 * MINUTE).await.unwrap();
    assert!(stage.fake.account().volume(&volume).unwrap().attachment.is_some());
    assert_eq!(stage.fake.requests().len(), 10);
}

#[tokio::test]
async fn an_attach_that_never_succeeds_ends_with_the_last_refusal() {
    let stage = Stage::of(1).await;
    stage.fake.inject_none();
    stage.fake.inject_with(|| Some(Fault::status(409)));
    let error = restore(&stage.client()).attach_within(MINUTE).await.unwrap_err();
    assert_eq!((error.outcome(), error.error().unwrap().status()), (Outcome::Refused, Some(409)));
    let waited: Duration = stage.pauses.pauses().iter().sum();
    assert!(waited < MINUTE && waited > MINUTE / 4, "{waited:?}");
}

#[tokio::test]
async fn an_attach_with_an_unknown_outcome_stays_unknown_after_refusals() {
    let stage = Stage::of(1).await;
    stage.fake.inject_none();
    stage.fake.inject(Fault::ApplyThenReset);
    let error = restore(&stage.client()).attach_within(MINUTE).await.unwrap_err();
    assert_eq!((error.outcome(), error.error().unwrap().status()), (Outcome::Unknown, Some(409)));
    let line = format!("volume {} was created and may be attached: ", error.volume_id().unwrap());
    assert!(format!("{error:#}").starts_with(&line), "{error:#}");
    let again = error.resume().unwrap().await.unwrap_err();
    assert_eq!(again.outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn an_attach_is_not_retried_after_a_refusal_that_waiting_can_not_fix() {
    for status in [400, 401, 403] {
        let stage = Stage::of(1).await;
        stage.fake.inject_none();
        stage.fake.inject_with(move || Some(Fault::status(status)));
        let error = restore(&stage.client()).attach_within(MINUTE).await.unwrap_err();
        assert_eq!(error.error().unwrap().status(), Some(status));
        assert_eq!(stage.fake.requests().len(), 2);

        // Also after an ambiguous attempt, which decides the outcome of the call.
        let stage = Stage::of(1).await;
        stage.fake.inject_none();
        stage.fake.inject(Fault::status(500));
        stage.fake.inject_with(move || Some(Fault::status(status)));
        let error = restore(&stage.client()).attach_within(MINUTE).await.unwrap_err();
        assert_eq!((error.outcome(), stage.fake.requests().len()), (Outcome::Unknown, 3));
    }
}

#[tokio::test]
async fn a_created_volume_with_an_unexpected_id_is_reported() {
    for body in [r#"{"volumeId":"dvol_42"}"#, r#"{"volumeId":"dvol_42","volumeSizeGB":"#] {
        let stage = Stage::of(1).await;
        stage.fake.inject(Fault::ApplyThenAnswer(Answer::json(200, &json!({})).body(body)));
        let error = restore(&stage.client()).await.unwrap_err();
        assert_eq!((error.volume_id(), error.answered_id()), (None, Some("dvol_42")));
        let text = format!("{error:#}");
        assert!(text.starts_with("a volume was created but not attached: "), "{text}");
        assert!(text.contains("dvol_42"), "{text}");
        assert!(error.resume().is_err());
    }
}
