//! Typed mocks match the requests that the builders of their operations send.

use datafy_api::mocks::MockServerExt;
use datafy_api::types;
use datafy_api_ext::{Datafy, DatafySnapshotId, DeviceName, InstanceId, SubAccountId, VolumeId};
use httpmock::MockServer;

const SUB_ACCOUNT: &str = "1536356a-b26f-4feb-8cd5-56b54b6c51d2";

fn datafy(server: &MockServer) -> Datafy {
    let sub_account = SubAccountId::new(SUB_ACCOUNT).unwrap();
    let builder = Datafy::builder().endpoint(server.base_url()).token("t");
    builder.sub_account(sub_account).build().unwrap()
}

#[tokio::test]
async fn each_operation_has_a_mock_that_matches_its_call_and_no_other() {
    let server = MockServer::start_async().await;
    let snapshot = types::Snapshot {
        datafy_snapshot_id: Some("dsnap-1".to_owned()),
        ..types::Snapshot::default()
    };
    let volume = types::Volume { volume_id: Some("vol-2".to_owned()), volume_size_gb: Some(8) };
    let snapshots = server.create_snapshot(|when, then| {
        let body = types::CreateSnapshotRequest {
            description: Some("nightly".to_owned()),
            ..types::CreateSnapshotRequest::default()
        };
        when.volume_id("vol-1").x_datafy_sub_account_id(SUB_ACCOUNT).body(&body);
        then.ok(&snapshot);
    });
    let volumes = server.create_volume_from_snapshots(|when, then| {
        let source = types::DatafySnapshotSource { datafy_snapshot_id: "dsnap-1".to_owned() };
        when.body(&types::CreateVolumeRequest { source: source.into() });
        then.ok(&volume);
    });
    let attached = server.attach_volume(|when, then| {
        when.volume_id("vol-2").body(&types::AttachVolumeRequest {
            instance_id: "i-1".to_owned(),
            device_name: "/dev/sdb".to_owned(),
        });
        then.ok();
    });
    let deactivated = server.deactivate_autoscaling(|when, then| {
        when.volume_id("vol-2");
        then.ok();
    });

    let datafy = datafy(&server);
    let source = datafy.volume(VolumeId::new("vol-1").unwrap());
    let made = source.create_snapshot().description("nightly").await.unwrap();
    assert_eq!(made.id, DatafySnapshotId::new("dsnap-1").unwrap());
    let made = datafy.create_volume(made.id.clone()).await;
    let made = datafy.volume(made.unwrap().id);
    let (instance, device) = (InstanceId::new("i-1"), DeviceName::new("/dev/sdb"));
    made.attach(instance.unwrap(), device.unwrap()).await.unwrap();
    made.deactivate_autoscaling().await.unwrap();
    for mock in [snapshots, volumes, attached, deactivated] {
        mock.assert();
    }

    // A request that doesn't match is answered with 404.
    let refused = source.create_snapshot().description("weekly").await.unwrap_err();
    assert_eq!(refused.status(), Some(404));
    let refused = source.create_snapshot().description("nightly").sub_account(None).await;
    assert_eq!(refused.unwrap_err().status(), Some(404));
}
