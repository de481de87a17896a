//! The server behind a gateway: a fake whose fault depends on the volume or the snapshot of a request.

use datafy_api_ext::fake::{Fault, RecordedRequest};
use datafy_tests::Stage;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// The largest number of a volume or a snapshot.
const MOST: usize = 120;

/// What the requests of one call did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) requests: usize,
    pub(crate) effects: usize,
    /// Whether one of the requests came on a connection that had served another one.
    pub(crate) reused: bool,
}

/// A fake with faults by the number of a volume or a snapshot.
pub(crate) struct Origin {
    stage: Stage,
    faults: Arc<Mutex<Faults>>,
}

/// The fault of the next requests about the volume or the snapshot of a number, and of how many.
type Faults = HashMap<usize, (Fault, usize)>;

impl Origin {
    pub(crate) async fn start() -> Self {
        let stage = Stage::of(MOST).await;
        let faults = Arc::<Mutex<Faults>>::default();
        let source = Arc::clone(&faults);
        stage.fake.inject_with(move |request| {
            // The request that asks whether a gateway is ready has no number.
            let mut faults = source.lock().unwrap();
            let (fault, left) = faults.get_mut(&number(request)?)?;
            *left = left.checked_sub(1)?;
            Some(fault.clone())
        });
        Self { stage, faults }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.stage.fake.endpoint().trim_start_matches("http://").parse().unwrap()
    }

    /// Sets what the next requests meet that are about the volume or the snapshot of this number.
    pub(crate) fn inject(&self, number: usize, fault: Fault, requests: usize) {
        self.faults.lock().unwrap().insert(number, (fault, requests));
    }

    /// What the requests about the volume or the snapshot of this number did.
    pub(crate) fn seen(&self, wanted: usize) -> Seen {
        let mut seen = Seen::default();
        let mut connections = Vec::new();
        for request in self.stage.fake.requests() {
            if number(&request) == Some(wanted) {
                seen.requests += 1;
                seen.effects += usize::from(request.applied);
                seen.reused |= connections.contains(&request.connection);
            }
            connections.push(request.connection);
        }
        seen
    }
}

/// The number of the volume in the request's path, or of the snapshot in its body.
fn number(request: &RecordedRequest) -> Option<usize> {
    let text = format!("{} {}", request.target, String::from_utf8_lossy(&request.body));
    let (_, after) = text.split_once("-seed")?;
    after.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}
