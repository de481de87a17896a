//! The ids and the answers as JSON: what is written can be read again, and fits its schema.

use datafy_api_ext::fake::Fake;
use datafy_api_ext::jobs::Progress;
use datafy_api_ext::{
    Answered, CreatedVolume, DatafySnapshotId, DeviceName, InstanceId, Outcome, RestoreStep,
    Snapshot, SnapshotStatus, Source, SubAccountId, VolumeId,
};
use jsonschema::Validator;
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Debug;

fn validator<T: JsonSchema>() -> Validator {
    let schema = schemars::schema_for!(T);
    jsonschema::validator_for(schema.as_value()).expect("a valid schema")
}

/// Reads `text` as `T`, and writes it again: the same, and as its schema says.
fn comes_back<T: DeserializeOwned + Serialize + JsonSchema>(json: &Value) -> T {
    let value: T = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(&serde_json::to_value(&value).unwrap(), json);
    validator::<T>().validate(json).unwrap();
    value
}

/// Posts to the fake without any client of ours, and gives the answer.
async fn answer(fake: &Fake, path: &str, body: Value) -> Value {
    let url = format!("{}/api/v1/volumes/{path}", fake.endpoint());
    let request = reqwest::Client::new().post(url).bearer_auth(Fake::TOKEN).json(&body);
    let answer = request.send().await.unwrap().error_for_status().unwrap();
    answer.json().await.unwrap()
}

#[tokio::test]
async fn answers_fit_the_schemas_and_are_the_same_json_again() {
    let fake = Fake::start().await.unwrap();
    fake.account().add_volume(VolumeId::new("vol-1").unwrap(), 100);
    let snapshot = answer(&fake, "vol-1/create-snapshot", json!({ "description": "d" })).await;
    let snapshot: Snapshot = comes_back(&snapshot);
    assert!(snapshot.require_id().is_ok() && snapshot.start_time.is_some());

    let source = json!({ "datafySnapshotId": snapshot.require_id().unwrap() });
    comes_back::<Source>(&source);
    let volume = answer(&fake, "create-from-snapshots", json!({ "source": source })).await;
    comes_back::<CreatedVolume>(&volume).require_id().unwrap();
    comes_back::<Progress>(&serde_json::to_value(Progress::default()).unwrap());
    // What an older version has written, without what this one added, can be read.
    assert_eq!(serde_json::from_value::<Progress>(json!({})).unwrap(), Progress::default());
}

#[test]
fn what_no_answer_can_be_fits_no_schema() {
    assert!(!validator::<Snapshot>().is_valid(&json!({ "volumeSizeGb": "8" })));
    assert!(!validator::<CreatedVolume>().is_valid(&json!({ "volumeId": 1 })));
    assert!(!validator::<Source>().is_valid(&json!("snap-1")));
    assert!(!validator::<SnapshotStatus>().is_valid(&json!(1)));
    assert!(!validator::<Outcome>().is_valid(&json!("maybe")));
    assert!(!validator::<Progress>().is_valid(&json!({ "done": -1 })));
}

#[test]
fn what_is_not_documented_comes_back_as_well() {
    let odd = comes_back::<Snapshot>(&json!({ "datafySnapshotId": "../x", "status": "done" }));
    assert_eq!(odd.id, Some(Answered::Unexpected("../x".to_owned())));
    assert_eq!(odd.status, Some(SnapshotStatus::Other("done".to_owned())));
    comes_back::<Snapshot>(&json!({}));
    // None of what a volume is to be made from may get lost.
    for source in [json!({ "other": [1] }), json!({ "datafySnapshotId": "dsnap-1", "iops": 3000 })]
    {
        assert!(matches!(comes_back(&source), Source::Undocumented(_)));
    }
}

#[test]
fn outcomes_and_steps_are_written_as_traces_and_errors_word_them() {
    for outcome in [Outcome::NotSent, Outcome::Refused, Outcome::Unknown, Outcome::Applied] {
        assert_eq!(comes_back::<Outcome>(&json!(outcome.as_str())), outcome);
    }
    assert_eq!(comes_back::<RestoreStep>(&json!("attach_volume")), RestoreStep::AttachVolume);
}

#[test]
fn an_id_is_parsed_on_the_way_in_and_the_error_says_what_is_wrong() {
    let error = serde_json::from_value::<VolumeId>(json!("vol-1/attach")).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#""vol-1/attach" is not a volume id: it holds the character '/'"#
    );
    let error = serde_json::from_value::<Source>(json!({ "datafySnapshotId": "snap-1" }));
    assert!(error.unwrap_err().to_string().contains("is not a Datafy snapshot id"));
}

/// An id is what its schema says: no more, and no less.
fn agree<T: DeserializeOwned + Serialize + JsonSchema + Debug>(text: &str) {
    let json = json!(text);
    let parsed = serde_json::from_value::<T>(json.clone());
    assert_eq!(validator::<T>().is_valid(&json), parsed.is_ok(), "{text:?}: {parsed:?}");
    if let Ok(id) = parsed {
        assert_eq!(serde_json::to_value(&id).unwrap(), json);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]
    #[test]
    fn the_schemas_of_ids_take_what_their_parsers_take(
        prefix in "(vol-|dsnap-|i-|/dev/)?",
        rest in "[a-z0-9]{0,9}[a-z0-9/._ é\n-]{0,3}|[a-z0-9]{55,66}",
    ) {
        let text = format!("{prefix}{rest}");
        agree::<VolumeId>(&text);
        agree::<DatafySnapshotId>(&text);
        agree::<InstanceId>(&text);
        agree::<DeviceName>(&text);
        agree::<SubAccountId>(&text);
    }
}
