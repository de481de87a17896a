//! IDs and answers as JSON: what is written can be read again, and fits its schema.

use datafy_api_ext::fake::Fake;
use datafy_api_ext::jobs::Progress;
use datafy_api_ext::{
    CreatedVolume, DatafySnapshotId, DeviceName, InstanceId, Outcome, Snapshot, SubAccountId,
    Subject, VolumeId,
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

/// Reads `json` as `T` and returns it. Panics unless writing it gives the same JSON, and its schema accepts it.
fn round_trip<T: DeserializeOwned + Serialize + JsonSchema>(json: &Value) -> T {
    let value: T = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(&serde_json::to_value(&value).unwrap(), json);
    validator::<T>().validate(json).unwrap();
    value
}

/// Posts to the fake without our clients, and returns the answer.
async fn answer(fake: &Fake, path: &str, body: Value) -> Value {
    let url = format!("{}/api/v1/volumes/{path}", fake.endpoint());
    let request = reqwest::Client::new().post(url).bearer_auth(Fake::TOKEN).json(&body);
    let answer = request.send().await.unwrap().error_for_status().unwrap();
    answer.json().await.unwrap()
}

#[tokio::test]
async fn answers_fit_their_schemas_and_are_written_as_they_were_read() {
    let fake = Fake::start().await.unwrap();
    fake.add_volume(VolumeId::new("vol-1").unwrap(), 100);
    let snapshot = answer(&fake, "vol-1/create-snapshot", json!({ "description": "d" })).await;
    let snapshot: Snapshot = round_trip(&snapshot);
    assert!(snapshot.start_time.is_some());

    let source = json!({ "datafySnapshotId": snapshot.id });
    let volume = answer(&fake, "create-from-snapshots", json!({ "source": source })).await;
    round_trip::<CreatedVolume>(&volume);
    round_trip::<Progress>(&serde_json::to_value(Progress::default()).unwrap());
    // JSON of an older version, without later fields, can be read.
    assert_eq!(serde_json::from_value::<Progress>(json!({})).unwrap(), Progress::default());
}

#[test]
fn undocumented_values_are_kept() {
    let odd = round_trip::<Snapshot>(&json!({ "datafySnapshotId": "ds_7.x:1", "status": "done" }));
    assert_eq!(odd.id.as_str(), "ds_7.x:1");
    assert_eq!(odd.status.as_deref(), Some("done"));
}

/// Panics unless `json` is rejected, by serde and by the schema.
fn rejects<T: DeserializeOwned + JsonSchema>(json: &Value) {
    let read = serde_json::from_value::<T>(json.clone());
    assert!(read.is_err() && !validator::<T>().is_valid(json), "{json}");
}

#[test]
fn what_lacks_a_usable_id_or_has_another_shape_is_rejected() {
    for json in [
        json!({}),
        json!({ "datafySnapshotId": null }),
        json!({ "datafySnapshotId": "../x" }),
        json!(["dsnap-1", null, null, null, null, null]),
    ] {
        rejects::<Snapshot>(&json);
    }
    rejects::<CreatedVolume>(&json!(["vol-1", null]));
    rejects::<Progress>(&json!([0, 0, 0, 0, 0, 0, 0, 0.0]));
    rejects::<Subject>(&json!(["vol-1", null, null, null, null]));
    rejects::<Snapshot>(&json!({ "datafySnapshotId": "dsnap-1", "volumeSizeGb": "8" }));
    rejects::<Outcome>(&json!("maybe"));
    rejects::<CreatedVolume>(&json!({ "volumeId": "i-1" }));
}

#[test]
fn outcomes_have_the_same_names_as_in_traces_and_errors() {
    for outcome in [Outcome::NotSent, Outcome::Refused, Outcome::Unknown, Outcome::Applied] {
        assert_eq!(round_trip::<Outcome>(&json!(outcome.as_str())), outcome);
    }
}

/// Panics unless the schema of `T` and its parser agree on `text`.
fn assert_agreement<T: DeserializeOwned + Serialize + JsonSchema + Debug>(text: &str) {
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
    fn the_schemas_of_ids_accept_what_their_parsers_accept(
        prefix in "(vol-|dsnap-|snap-|i-|/dev/)?",
        rest in "[a-z0-9]{0,9}[a-z0-9/.:_ é\n-]{0,3}|[a-z0-9]{55,66}|[./_:-]?[a-z]",
    ) {
        let text = format!("{prefix}{rest}");
        assert_agreement::<VolumeId>(&text);
        assert_agreement::<DatafySnapshotId>(&text);
        assert_agreement::<InstanceId>(&text);
        assert_agreement::<DeviceName>(&text);
        assert_agreement::<SubAccountId>(&text);
    }
}
