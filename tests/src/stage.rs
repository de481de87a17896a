//! A fake with everything in it that the operations need, and the operations as one kind of call.

use datafy_api_ext::fake::{AppliedEffect, Fake, SkipPauses};
use datafy_api_ext::{
    Datafy, DatafyBuilder, DatafySnapshotId, DeviceName, Error, InstanceId, RetryPolicy, Timeouts,
    VolumeId,
};

/// An operation of the API.
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

/// All of them.
pub const OPERATIONS: [Operation; 4] =
    [Operation::CreateSnapshot, Operation::CreateVolume, Operation::Attach, Operation::Deactivate];

impl Operation {
    /// Whether repeating it makes another object.
    pub fn creates(self) -> bool {
        matches!(self, Self::CreateSnapshot | Self::CreateVolume)
    }

    /// Calls it, with the volume, the snapshot and the device of this number.
    pub async fn call(self, datafy: &Datafy, number: usize) -> Result<(), Error> {
        self.call_with(datafy, number, None, None).await
    }

    /// Calls it with these options for the call.
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
            Self::CreateSnapshot => send!(volume.create_snapshot()).map(drop),
            Self::CreateVolume => {
                send!(datafy.create_volume().from_snapshot(snapshot(number))).map(drop)
            }
            Self::Attach => {
                let device = id(DeviceName::new(format!("sd{number}")));
                send!(volume.attach(id(InstanceId::new("i-1")), device))
            }
            Self::Deactivate => send!(volume.deactivate_autoscaling()),
        }
    }
}

/// A fake with some volumes, a snapshot of each, and an instance.
pub struct Stage {
    /// The fake.
    pub fake: Fake,
    /// What its client's pauses were.
    pub pauses: SkipPauses,
    size: usize,
}

impl Stage {
    /// A fake with so many volumes, numbered from 0.
    pub async fn of(size: usize) -> Self {
        let fake = Fake::start().await.expect("a free port");
        fake.account().add_instance(id(InstanceId::new("i-1")));
        for number in 0..size {
            // The sizes are what tells one volume's effects from another's.
            let size_gb = i64::try_from(number).expect("a small number") + 1;
            fake.account().add_volume(volume(number), size_gb);
            fake.account().add_snapshot(snapshot(number), volume(number), size_gb);
        }
        Self { fake, pauses: SkipPauses::default(), size }
    }

    /// A builder of clients that don't wait between attempts.
    pub fn builder(&self) -> DatafyBuilder {
        self.fake.client().clock(self.pauses.clone())
    }

    /// A client with the defaults.
    pub fn client(&self) -> Datafy {
        self.builder().build().expect("the defaults are valid")
    }

    /// The effects of each number's calls. A created volume is known by its size.
    pub fn effects(&self) -> Vec<Vec<AppliedEffect>> {
        let sizes: std::collections::HashMap<_, _> = self
            .fake
            .account()
            .volumes()
            .into_iter()
            .map(|volume| (volume.id, volume.size_gb))
            .collect();
        let mut effects = vec![Vec::new(); self.size];
        for effect in self.fake.effects() {
            let size_gb = effect.volume.as_ref().and_then(|volume| sizes.get(volume));
            let number = usize::try_from(size_gb.expect("a volume of the stage") - 1);
            effects[number.expect("a size of ours")].push(effect);
        }
        effects
    }
}

/// The id of a volume of the stage.
fn volume(number: usize) -> VolumeId {
    id(VolumeId::new(format!("vol-seed{number}")))
}

fn snapshot(number: usize) -> DatafySnapshotId {
    id(DatafySnapshotId::new(format!("dsnap-seed{number}")))
}

fn id<Id, E: std::fmt::Debug>(parsed: Result<Id, E>) -> Id {
    parsed.expect("an id of ours is one")
}
