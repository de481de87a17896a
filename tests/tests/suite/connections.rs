//! Reused connections: creates that end `Unknown`, and answers to other calls.

use datafy_api_ext::fake::{Fault, verify};
use datafy_api_ext::{Datafy, Outcome, RetryPolicy, VolumeId};
use datafy_tests::{Operation, Stage, note};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

const CALLS: usize = 2_000;
const AT_A_TIME: usize = 8;

/// Returns the number of [`CALLS`] creates that end `Unknown` if the service closes each connection after its answer.
async fn unknown_creates(fresh_connections: bool) -> usize {
    let stage = Stage::of(CALLS).await;
    let builder = stage.builder().retry(RetryPolicy::none());
    let datafy = builder.fresh_connections(fresh_connections).build().unwrap();
    stage.fake.inject_with(|_| Some(Fault::CloseIdle));
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
    let mut results = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        results.extend(worker.await.unwrap());
    }
    let effects = stage.effects();
    let mut outcomes = Vec::new();
    for (number, result) in results {
        verify(&effects[number], &result).unwrap();
        outcomes.push(result.err().map(|error| error.outcome()));
    }
    let count = |expected| outcomes.iter().filter(|outcome| **outcome == expected).count();
    let (ok, unknown) = (count(None), count(Some(Outcome::Unknown)));
    note(format_args!(
        "fresh connections: {fresh_connections}; {CALLS} calls to a service that closes idle \
         connections: {ok} ok, {unknown} unknown, {} not sent",
        count(Some(Outcome::NotSent))
    ));
    assert!(ok > 0 && outcomes.len() == CALLS);
    unknown
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_race_the_closing_of_idle_connections_have_at_most_one_effect() {
    unknown_creates(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_on_fresh_connections_do_not_race_the_closing_of_connections() {
    assert_eq!(unknown_creates(true).await, 0);
}

/// A service that keeps connections open and answers each request with what `answers` makes of its volume: at
/// once, and then after each pause once more.
struct Server {
    url: String,
    connections: Arc<AtomicUsize>,
}

type Answers = fn(&str) -> Vec<(Duration, String)>;

impl Server {
    fn answering(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::Relaxed);
                thread::spawn(move || serve(stream, answers));
            }
        });
        Self { url, connections }
    }

    fn client(&self, fresh_connections: bool) -> Datafy {
        let builder = Datafy::builder().endpoint(&self.url).token("token-1");
        let builder = builder.retry(RetryPolicy::none());
        builder.fresh_connections(fresh_connections).build().unwrap()
    }
}

fn serve(mut stream: TcpStream, answers: Answers) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        buffer.extend_from_slice(&chunk[..count]);
        // The body of a snapshot without options is `{}`.
        let Some(end) = buffer.windows(6).position(|bytes| bytes == b"\r\n\r\n{}") else {
            continue;
        };
        let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
        let volume = head.split('/').find(|part| part.starts_with("vol-"))?;
        for (pause, answer) in answers(volume) {
            thread::sleep(pause);
            stream.write_all(answer.as_bytes()).ok()?;
        }
        buffer.drain(..end + 6);
    }
}

fn snapshot_of(volume: &str) -> String {
    let body = format!(r#"{{"datafySnapshotId":"dsnap-of-{volume}","volumeId":"{volume}"}}"#);
    datafy_tests::http(200, "application/json", &body)
}

/// Creates snapshots of `calls` volumes one after the other, and returns the number that succeed. Panics if a
/// snapshot is of another volume.
async fn successes(datafy: &Datafy, calls: usize) -> usize {
    let mut successes = 0;
    for number in 0..calls {
        let volume = VolumeId::new(format!("vol-{number}")).unwrap();
        match datafy.volume(volume.clone()).create_snapshot().await {
            Ok(snapshot) => {
                assert_eq!(snapshot.id.as_str(), format!("dsnap-of-{volume}"));
                successes += 1;
            }
            Err(error) => assert_eq!(error.outcome(), Outcome::Unknown, "{error}"),
        }
    }
    successes
}

#[tokio::test]
async fn a_late_second_answer_is_not_the_answer_to_the_next_call() {
    for late in [500, 1_000, 3_000] {
        let answers: Answers = match late {
            500 => |volume| twice(volume, Duration::from_micros(500)),
            1_000 => |volume| twice(volume, Duration::from_millis(1)),
            _ => |volume| twice(volume, Duration::from_millis(3)),
        };
        let server = Server::answering(answers);
        assert_eq!(successes(&server.client(true), 40).await, 40, "on fresh connections");
        successes(&server.client(false), 40).await;
    }
}

fn twice(volume: &str, late: Duration) -> Vec<(Duration, String)> {
    vec![(Duration::ZERO, snapshot_of(volume)), (late, snapshot_of(volume))]
}

#[tokio::test]
async fn an_answer_that_names_another_volume_is_unknown_and_its_connection_is_not_reused() {
    let server = Server::answering(|volume| {
        let named = if volume == "vol-0" { "vol-OTHER" } else { volume };
        vec![(Duration::ZERO, snapshot_of(named))]
    });
    let datafy = server.client(false);
    let volume = VolumeId::new("vol-0").unwrap();
    let error = datafy.volume(volume).create_snapshot().await.unwrap_err();
    assert_eq!((error.outcome(), error.status()), (Outcome::Unknown, Some(200)));
    let end = " may have been applied: 200 OK: the answer names volume vol-OTHER and not vol-0";
    assert!(error.to_string().ends_with(end), "{error}");
    assert_eq!(
        (error.snapshot_id(), error.volume_id()),
        (None, None),
        "they belong to another call"
    );

    for number in 1..4 {
        let volume = VolumeId::new(format!("vol-{number}")).unwrap();
        datafy.volume(volume).create_snapshot().await.unwrap();
    }
    assert_eq!(
        server.connections.load(Ordering::Relaxed),
        2,
        "the later calls share a new connection"
    );
}

#[tokio::test]
async fn an_idle_connection_is_kept_for_a_second() {
    let server = Server::answering(|volume| vec![(Duration::ZERO, snapshot_of(volume))]);
    let datafy = server.client(false);
    for (idle, connections) in [(0, 1), (0, 1), (1_100, 2)] {
        // The pool measures real time.
        tokio::time::sleep(Duration::from_millis(idle)).await;
        assert_eq!(successes(&datafy, 1).await, 1);
        assert_eq!(server.connections.load(Ordering::Relaxed), connections, "{idle} ms");
    }
}

#[tokio::test]
async fn a_connection_that_received_bytes_while_idle_is_not_reused() {
    let server = Server::answering(|volume| twice(volume, Duration::from_millis(1)));
    let datafy = server.client(false);
    for number in 0..4 {
        let volume = VolumeId::new(format!("vol-{number}")).unwrap();
        datafy.volume(volume).create_snapshot().await.unwrap();
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    assert_eq!(server.connections.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn an_answer_about_a_snapshot_is_not_taken_for_a_created_volume() {
    let listener = datafy_tests::Listener::answering(snapshot_of("vol-1"));
    let datafy = Datafy::builder().endpoint(listener.url()).token("t").build().unwrap();
    let snapshot = datafy_api_ext::DatafySnapshotId::new("dsnap-1").unwrap();
    let error = datafy.create_volume().from_snapshot(snapshot).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown, "{error}");
    assert!(error.to_string().ends_with("the answer names snapshot dsnap-of-vol-1"), "{error}");
}
