//! What has to cross threads can.

use datafy_api_ext::fake::Fake;
use datafy_api_ext::jobs::{Fleet, Monitor, NotDone, Progress, Run};
use datafy_api_ext::{
    Answered, Call, ConfigError, CreateSnapshot, CreatedVolume, Datafy, DatafyBuilder, Error,
    Restore, RestoreError, RetryPolicy, Snapshot, Source, Timeouts, Token, Volume, VolumeId,
};
use std::future::IntoFuture;

fn crosses<T: Send + Sync + 'static>() {}
fn moves<T: Send + 'static>() {}

#[test]
fn clients_calls_and_errors_are_send_and_sync() {
    crosses::<Datafy>();
    crosses::<Volume>();
    crosses::<Call<CreateSnapshot>>();
    crosses::<Restore>();
    crosses::<Snapshot>();
    crosses::<Answered<VolumeId>>();
    crosses::<(Error, RestoreError, ConfigError)>();
    crosses::<(Timeouts, RetryPolicy)>();
    crosses::<Token>();
    crosses::<Monitor>();
    crosses::<(VolumeId, Source, CreatedVolume, Progress, NotDone)>();
    moves::<Fleet>();
    crosses::<Fake>();
    moves::<Run<Snapshot>>();
    moves::<DatafyBuilder>();
    moves::<<Call<CreateSnapshot> as IntoFuture>::IntoFuture>();
}
