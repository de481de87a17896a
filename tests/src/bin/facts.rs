//! Prints, as JSON, the facts that only compiled code knows: the table of operations, the JSON Schema of each
//! generated type, the request that each builder sends with all its options set, the fake's answer to it, and what a call
//! returns for that. `cargo xtask check` compares them with `openapi.yaml`.

use datafy_api_ext::fake::Fake;
use datafy_api_ext::{
    Call, Datafy, DatafySnapshotId, DeviceName, InstanceId, Operation, SubAccountId, VolumeId,
};
use datafy_tests::{Listener, Request, other_source};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::error::Error;
use std::future::Future;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::pin::Pin;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SUB_ACCOUNT: &str = "sub-account-1";

/// A call of each operation with all its options, or several calls if one can't set everything.
fn calls(datafy: &Datafy) -> Result<Vec<Ended>> {
    let volume = datafy.volume(VolumeId::new("vol-1")?);
    let snapshot = DatafySnapshotId::new("dsnap-1")?;
    let (instance, device) = (InstanceId::new("i-1")?, DeviceName::new("/dev/sdb")?);
    let described = volume.create_snapshot().autoscaling_only(true).description("nightly");
    Ok(vec![
        end(described),
        end(datafy.create_volume(snapshot)),
        end(datafy.create_volume(other_source().0)),
        end(volume.attach(instance, device)),
        end(volume.deactivate_autoscaling()),
    ])
}

/// Ends with the name of the operation that the builder makes, and its answer as JSON, if there is one.
type Ended = Pin<Box<dyn Future<Output = (&'static str, Value)>>>;

fn end<O: Operation<Answer: Serialize> + 'static>(call: Call<O>) -> Ended {
    Box::pin(async {
        let answer = call.await.ok().and_then(|answer| serde_json::to_value(answer).ok());
        (O::FACTS.name, answer.unwrap_or_default())
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut exchanges = Vec::new();
    let listener = Listener::answering_calls();
    let datafy = Datafy::builder()
        .endpoint(listener.url())
        .token("recorded")
        .sub_account(SubAccountId::new(SUB_ACCOUNT)?)
        .build()?;
    for (index, call) in calls(&datafy)?.into_iter().enumerate() {
        let before = listener.requests().len();
        let (made, _) = call.await;
        let recorded = listener.requests().split_off(before);
        let [request] = recorded.as_slice() else {
            return Err(format!("{made} sent {} requests", recorded.len()).into());
        };
        let answer = answer(request).await?;
        // What the same call returns if the service answers that.
        let service = Listener::answering_json(answer["body"].as_str().unwrap_or_default());
        let datafy = Datafy::builder().endpoint(service.url()).token("recorded").build()?;
        let (_, mapped) = calls(&datafy)?.swap_remove(index).await;
        let Request { line, headers, body } = request;
        let request = json!({ "line": line, "headers": headers, "body": body });
        exchanges
            .push(json!({ "made": made, "request": request, "answer": answer, "mapped": mapped }));
    }
    let operations = datafy_api::operations::ALL.iter().map(|operation| {
        json!({
            "name": operation.name,
            "method": operation.method,
            "path": operation.path,
            "idempotent": operation.idempotent,
        })
    });
    let facts = json!({
        "server": datafy_api::SERVER_URL,
        "operations": operations.collect::<Value>(),
        "schemas": datafy_api::json_schemas().into_iter().collect::<BTreeMap<_, _>>(),
        "exchanges": exchanges,
    });
    println!("{facts}");
    Ok(())
}

/// The answer of a fake that has the volume, the snapshot and the instance of the recorded request.
async fn answer(request: &Request) -> Result<Value> {
    let fake = Fake::start().await?;
    let account = fake.with_token("recorded").sub_account(&SubAccountId::new(SUB_ACCOUNT)?);
    account.add_volume(VolumeId::new("vol-1")?, 100);
    account.add_snapshot(DatafySnapshotId::new("dsnap-1")?, VolumeId::new("vol-1")?, 100);
    account.add_instance(InstanceId::new("i-1")?);
    let address = fake.endpoint().replace("http://", "");
    let headers = request.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
    let headers: String = headers.collect();
    let bytes = format!("{}\r\n{headers}connection: close\r\n\r\n{}", request.line, request.body);
    let text = tokio::task::spawn_blocking(move || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(bytes.as_bytes())?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    });
    let text = text.await??;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("the answer of the fake is not HTTP")?;
    let status: u16 =
        head.split(' ').nth(1).ok_or("the answer of the fake has no status")?.parse()?;
    let content_type = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-type").then(|| value.trim().to_owned())
    });
    Ok(json!({ "status": status, "content-type": content_type, "body": body }))
}
