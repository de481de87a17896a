//! Applies requests: one function per operation.

use super::reply::Reply;
use super::request::RecordedRequest;
use super::state::{FakeSnapshot, FakeVolume, Resources, Scope, Service};
use crate::id::{DatafySnapshotId, DeviceName, InstanceId, VolumeId};
use datafy_api::operation::Operation;
use datafy_api::operations::{
    ALL, ATTACH_VOLUME, CREATE_SNAPSHOT, CREATE_VOLUME_FROM_SNAPSHOTS, DEACTIVATE_AUTOSCALING,
};
use datafy_api::types;
use serde_json::{Map, Value, json};

/// Applies the request and returns the reply.
pub(super) fn serve(state: &mut Service, request: &mut RecordedRequest) -> Reply {
    match try_serve(state, request) {
        Ok((reply, volume)) => {
            state.effects += 1;
            (request.applied, request.volume) = (true, Some(volume));
            reply
        }
        Err(refusal) => refusal,
    }
}

/// The reply, and the volume of the request or the volume that was created.
type Applied = Result<(Reply, VolumeId), Reply>;

fn try_serve(state: &mut Service, request: &mut RecordedRequest) -> Applied {
    let (operation, volume) = route(request)?;
    request.operation = Some(operation.name);
    let scope = scope(state, operation, request)?;
    check_content_type(request)?;
    let next = state.effects + 1;
    let resources = state.resources.entry(scope).or_default();
    match operation {
        CREATE_SNAPSHOT => create_snapshot(resources, &volume?, request, next),
        CREATE_VOLUME_FROM_SNAPSHOTS => create_volume(resources, request, next),
        ATTACH_VOLUME => attach_volume(resources, &volume?, request),
        DEACTIVATE_AUTOSCALING => deactivate_autoscaling(resources, &volume?),
        other => Err(refusal(501, &format!("{} is not served", other.name))),
    }
}

/// The operation that the request is for, and the volume in its path. Only an operation with a volume
/// in its path looks at the latter.
fn route(request: &RecordedRequest) -> Result<(Operation, Result<VolumeId, Reply>), Reply> {
    let uri: hyper::Uri = request.target.parse().unwrap_or_default();
    let (method, path) = (&request.method, uri.path());
    let mut allowed = Vec::new();
    for operation in ALL {
        let Some(id) = volume_in_path(operation, path) else { continue };
        if operation.method == method {
            let volume = VolumeId::new(id).map_err(|error| refusal(400, &error.to_string()));
            return Ok((*operation, volume));
        }
        allowed.push(operation.method);
    }
    if allowed.is_empty() {
        Err(refusal(404, &format!("there is no route {method} {path}")))
    } else {
        let refusal = refusal(405, &format!("the method {method} is not allowed"));
        Err(refusal.header("allow", &allowed.join(", ")))
    }
}

/// The volume ID in a path of this operation, empty if the operation has none. `None` if the path is
/// that of another operation.
fn volume_in_path<'a>(operation: &Operation, path: &'a str) -> Option<&'a str> {
    let Some((before, after)) = operation.path.split_once("{volumeId}") else {
        return (path == operation.path).then_some("");
    };
    let id = path.strip_prefix(before)?.strip_suffix(after)?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

fn scope(state: &Service, operation: Operation, request: &RecordedRequest) -> Result<Scope, Reply> {
    let token = request
        .header("authorization")
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim_start())
        .ok_or_else(|| refusal(401, "the bearer token is missing"))?;
    let token = state.tokens.get(token).ok_or_else(|| refusal(401, "the bearer token is wrong"))?;
    let scope = Scope { token: token.clone(), sub_account: sub_account(operation, request) };
    match &scope.sub_account {
        Some(id) if !state.resources.contains_key(&scope) => {
            Err(refusal(403, &format!("the account has no sub-account {id}")))
        }
        _ => Ok(scope),
    }
}

/// The sub-account: no operation has another parameter outside of its path.
fn sub_account(operation: Operation, request: &RecordedRequest) -> Option<String> {
    let mut headers = operation.headers.iter();
    let header = headers.find_map(|name| request.header(&name.to_lowercase()).map(str::to_owned));
    header.or_else(|| operation.query.iter().find_map(|name| request.query(name)))
}

/// A body must be declared as JSON. Parameters such as `charset` are allowed.
fn check_content_type(request: &RecordedRequest) -> Result<(), Reply> {
    let media_type = request.header("content-type").and_then(|value| value.split(';').next());
    let json = media_type.is_some_and(|it| it.trim().eq_ignore_ascii_case("application/json"));
    if request.body.is_empty() || json {
        Ok(())
    } else {
        Err(refusal(415, "the `Content-Type` of a body must be `application/json`"))
    }
}

fn create_snapshot(
    resources: &mut Resources,
    volume: &VolumeId,
    request: &RecordedRequest,
    number: usize,
) -> Applied {
    let body: types::CreateSnapshotRequest = body(request, CREATE_SNAPSHOT)?;
    let of = find(resources, volume)?;
    if body.autoscaling_only.unwrap_or(true) && !of.managed {
        return Err(refusal(409, &format!("volume {volume} is not managed")));
    }
    let id = DatafySnapshotId::new(format!("dsnap-{number:017x}")).expect("a valid ID");
    let snapshot = FakeSnapshot::new(id, volume.clone(), of.size_gb, body.description, number);
    let answer = types::Snapshot {
        datafy_snapshot_id: Some(snapshot.id.to_string()),
        volume_id: Some(volume.to_string()),
        status: Some("pending".to_owned()),
        start_time: Some(snapshot.start_time),
        volume_size_gb: Some(snapshot.volume_size_gb),
        description: snapshot.description.clone(),
    };
    resources.snapshots.push(snapshot);
    Ok((Reply::json(200, &json!(answer)), volume.clone()))
}

fn create_volume(resources: &mut Resources, request: &RecordedRequest, number: usize) -> Applied {
    let body: types::CreateVolumeRequest = body(request, CREATE_VOLUME_FROM_SNAPSHOTS)?;
    let types::VolumeSource::DatafySnapshotSource(source) = body.source else {
        return Err(refusal(400, "the fake knows no source but `datafySnapshotId`"));
    };
    let snapshot = resources
        .snapshots
        .iter()
        .find(|snapshot| snapshot.id.as_str() == source.datafy_snapshot_id)
        .ok_or_else(|| {
            refusal(404, &format!("there is no snapshot {}", source.datafy_snapshot_id))
        })?;
    let id = VolumeId::new(format!("vol-{number:017x}")).expect("a valid ID");
    let mut volume = FakeVolume::new(id.clone(), snapshot.volume_size_gb, true);
    volume.source = Some(snapshot.id.clone());
    volume.not_ready = resources.not_ready;
    let answer =
        types::Volume { volume_id: Some(id.to_string()), volume_size_gb: Some(volume.size_gb) };
    resources.add(volume);
    Ok((Reply::json(200, &json!(answer)), id))
}

fn attach_volume(
    resources: &mut Resources,
    volume: &VolumeId,
    request: &RecordedRequest,
) -> Applied {
    let body: types::AttachVolumeRequest = body(request, ATTACH_VOLUME)?;
    let refused = |error: crate::InvalidId| refusal(400, &error.to_string());
    let instance = InstanceId::new(&*body.instance_id).map_err(refused)?;
    let device = DeviceName::new(&*body.device_name).map_err(refused)?;
    let found = find(resources, volume)?;
    if let (Some(instance), Some(device)) = (&found.instance, &found.device) {
        let place = format!("{instance} as {device}");
        return Err(refusal(409, &format!("volume {volume} is already attached to {place}")));
    }
    if !found.managed {
        return Err(refusal(409, &format!("volume {volume} is not managed")));
    }
    if found.not_ready > 0 {
        found.not_ready -= 1;
        return Err(refusal(409, &format!("volume {volume} is not ready")));
    }
    if !resources.instances.contains(&instance) {
        return Err(refusal(404, &format!("there is no instance {instance}")));
    }
    let place = (Some(instance), Some(device));
    let mut others = resources.volumes.values();
    if let Some(other) = others.find(|it| (&it.instance, &it.device) == (&place.0, &place.1)) {
        let (instance, device) = (&body.instance_id, &body.device_name);
        let message = format!("{device} of {instance} is in use by volume {}", other.id);
        return Err(refusal(409, &message));
    }
    let found = find(resources, volume)?;
    (found.instance, found.device) = place;
    Ok((no_content(), volume.clone()))
}

fn deactivate_autoscaling(resources: &mut Resources, volume: &VolumeId) -> Applied {
    find(resources, volume)?.managed = false;
    Ok((no_content(), volume.clone()))
}

fn find<'a>(resources: &'a mut Resources, volume: &VolumeId) -> Result<&'a mut FakeVolume, Reply> {
    let missing = || refusal(404, &format!("there is no volume {volume}"));
    resources.volumes.get_mut(volume).ok_or_else(missing)
}

/// Reads the body of the request, an object with no other properties than the operation documents.
fn body<T: serde::de::DeserializeOwned>(
    request: &RecordedRequest,
    operation: Operation,
) -> Result<T, Reply> {
    let object: Map<String, Value> = serde_json::from_slice(&request.body)
        .map_err(|error| refusal(400, &format!("the body is not a JSON object: {error}")))?;
    if let Some(unknown) = object.keys().find(|key| !operation.body.contains(&key.as_str())) {
        return Err(refusal(400, &format!("`{unknown}` can't be set")));
    }
    serde_json::from_value(Value::Object(object))
        .map_err(|error| refusal(400, &format!("the body is malformed: {error}")))
}

/// The answer that the service is known to send where the page documents no content.
fn no_content() -> Reply {
    Reply::json(200, &json!({ "message": "" }))
}

/// A refusal. The page documents none, so each is marked as the fake's own.
fn refusal(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({ "message": message, "fake": true }))
}
