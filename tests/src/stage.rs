//! A fake with all that the operations need, and the operations as one kind of call.

use datafy_api_ext::fake::{Fake, RecordedRequest, SkipPauses};
use datafy_api_ext::{
    Abandoned, Datafy, DatafyBuilder, DatafySnapshotId, DeviceName, Error, InstanceId, RetryPolicy,
    Timeouts, VolumeId,
};
use std::fmt::{Debug, Display};
use std::sync::{Arc, Mutex};

/// An operation of the API, called with the volume, the snapshot or the device of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Creating a snapshot.
    CreateSnapshot,
    /// Creating a volume.
    CreateVolume,
    /// Attaching a volume.
    Attach,
    /// Deactivating autoscaling.
    Deactivate,
}

/// All operations.
pub const OPERATIONS: [Operation; 4] =
    [Operation::CreateSnapshot, Operation::CreateVolume, Operation::Attach, Operation::Deactivate];

impl Operation {
    /// Whether each call creates another object.
    pub fn creates(self) -> bool {
        matches!(self, Self::CreateSnapshot | Self::CreateVolume)
    }

    /// Calls the operation for this number. Panics if the answer is about another number.
    pub async fn call(self, datafy: &Datafy, number: usize) -> Result<(), Error> {
        self.call_with(datafy, number, None, None).await
    }

    /// As [`call`](Self::call), with options for this call.
    pub async fn call_with(
        self,
        datafy: &Datafy,
        number: usize,
        timeouts: Option<Timeouts>,
        retry: Option<RetryPolicy>,
    ) -> Result<(), Error> {
        macro_rules! send {
            ($call:expr) => {{
                let mut call = $call;
                if let Some(timeouts) = timeouts {
                    call = call.timeouts(timeouts);
                }
                if let Some(retry) = retry {
                    call = call.retry(retry);
                }
                call.await
            }};
        }
        let volume = datafy.volume(volume(number));
        match self {
            Self::CreateSnapshot => {
                let snapshot = send!(volume.create_snapshot())?;
                expect_size(number, snapshot.volume_size_gb);
                Ok(())
            }
            Self::CreateVolume => {
                let volume = send!(datafy.create_volume(snapshot(number)))?;
                expect_size(number, volume.volume_size_gb);
                Ok(())
            }
            Self::Attach => send!(volume.attach(instance(), device(number))),
            Self::Deactivate => send!(volume.deactivate_autoscaling()),
        }
    }
}

/// A fake with volumes, numbered from 0, a snapshot of each, and an instance.
pub struct Stage {
    /// The fake.
    pub fake: Fake,
    /// The pauses of its clients.
    pub pauses: SkipPauses,
    size: usize,
}

impl Stage {
    /// Starts a fake with this many volumes.
    pub async fn of(size: usize) -> Self {
        let fake = Fake::start().await.expect("a free port");
        fake.add_instance(instance());
        for number in 0..size {
            let size_gb = size_gb(number);
            fake.add_volume(volume(number), size_gb);
            fake.add_snapshot(snapshot(number), volume(number), size_gb);
        }
        Self { fake, pauses: SkipPauses::default(), size }
    }

    /// A builder of clients that skip the pauses between attempts.
    pub fn builder(&self) -> DatafyBuilder {
        self.fake.client().clock(self.pauses.clone())
    }

    /// Has the clients of a builder add what they report as abandoned to the list that is returned.
    pub fn reports(builder: DatafyBuilder) -> (DatafyBuilder, Arc<Mutex<Vec<Abandoned>>>) {
        let reports = Arc::<Mutex<Vec<Abandoned>>>::default();
        let keep = Arc::clone(&reports);
        let report = move |call: &Abandoned| keep.lock().expect("not poisoned").push(call.clone());
        (builder.on_abandoned(report), reports)
    }

    /// A client with default settings.
    pub fn client(&self) -> Datafy {
        self.builder().build().expect("the defaults are valid")
    }

    /// The effects of the calls of each number.
    pub fn effects(&self) -> Vec<Vec<RecordedRequest>> {
        let sizes: std::collections::HashMap<_, _> =
            self.fake.volumes().into_iter().map(|volume| (volume.id, volume.size_gb)).collect();
        let mut effects = vec![Vec::new(); self.size];
        for effect in self.fake.effects() {
            let size_gb = effect.volume.as_ref().and_then(|volume| sizes.get(volume));
            let number = usize::try_from(size_gb.expect("a volume of the stage") - 1);
            effects[number.expect("a size of the stage")].push(effect);
        }
        effects
    }
}

/// The size of the volume and of the snapshot of a number. It differs for each, so that it tells what an answer
/// and a created volume belong to.
fn size_gb(number: usize) -> i64 {
    i64::try_from(number).expect("a small number") + 1
}

/// Panics if an answer has the size of another number.
fn expect_size(number: usize, answered: Option<i64>) {
    if let Some(answered) = answered {
        assert_eq!(answered, size_gb(number), "the answer belongs to another call");
    }
}

/// The volume of a number.
pub fn volume(number: usize) -> VolumeId {
    id(VolumeId::new(format!("vol-seed{number}")))
}

/// The snapshot of a number.
pub fn snapshot(number: usize) -> DatafySnapshotId {
    id(DatafySnapshotId::new(format!("dsnap-seed{number}")))
}

/// The instance of a stage.
pub fn instance() -> InstanceId {
    id(InstanceId::new("i-1"))
}

/// The device of a number or a letter.
pub fn device(name: impl Display) -> DeviceName {
    id(DeviceName::new(format!("/dev/sd{name}")))
}

fn id<Id, E: Debug>(parsed: Result<Id, E>) -> Id {
    parsed.expect("a valid ID")
}
