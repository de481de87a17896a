include!(concat!(env!("OUT_DIR"), "/blocking_1.rs"));

use datafy_api_ext::fake::Fake;

#[test]
fn a_program_without_async_creates_a_snapshot() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let fake = runtime.block_on(Fake::start()).unwrap();
    let volume = VolumeId::new("vol-1").unwrap();
    fake.add_volume(volume.clone(), 100);
    let datafy = Blocking::new(fake.client().build().unwrap()).unwrap();
    let id = datafy.create_snapshot(volume).unwrap();
    assert_eq!(fake.snapshots()[0].id, id);
}
