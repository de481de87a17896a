//! Clients, calls and errors can be sent to other threads.

use datafy_api_ext::fake::Fake;
use datafy_api_ext::jobs::{
    Fleet, Monitor, NotDone, NotRestored, OpenJournal, Progress, Restore, Run, Steps,
};
use datafy_api_ext::{
    Call, ConfigError, CreateSnapshot, CreatedVolume, Datafy, DatafyBuilder, Error, RetryPolicy,
    Snapshot, Source, Timeouts, Token, Volume, VolumeId,
};
use std::future::IntoFuture;

fn send_and_sync<T: Send + Sync + 'static>() {}
fn send<T: Send + 'static>() {}

#[test]
fn clients_calls_and_errors_are_send_and_sync_and_runs_are_send() {
    send_and_sync::<(Datafy, Volume, Call<CreateSnapshot>, Restore, Fake, Token)>();
    send_and_sync::<(Error, NotRestored, ConfigError, NotDone, Timeouts, RetryPolicy)>();
    send_and_sync::<(VolumeId, Source, CreatedVolume, Snapshot, Progress)>();
    send_and_sync::<(Steps, OpenJournal, Monitor)>();
    send::<(Fleet<VolumeId>, Run<VolumeId, Snapshot>, DatafyBuilder)>();
    send::<<Call<CreateSnapshot> as IntoFuture>::IntoFuture>();
}
