include!(concat!(env!("OUT_DIR"), "/network_1.rs"));

use datafy_api_ext::fake::Fake;
use rcgen::{CertificateParams, KeyPair};

#[tokio::test]
async fn calls_go_through_the_proxy() {
    let fake = Fake::start().await.unwrap();
    fake.add_volume("vol-1".parse().unwrap(), 100);
    let certificate =
        CertificateParams::default().self_signed(&KeyPair::generate().unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("company.pem");
    std::fs::write(&file, certificate.pem()).unwrap();

    // The fake is the proxy: it answers requests for any host.
    let builder = fake.client().endpoint("http://datafy.invalid").allow_plain_http();
    let datafy = client(builder, &file, Some(&fake.endpoint())).unwrap();
    datafy.volume("vol-1".parse().unwrap()).create_snapshot().await.unwrap();
    let requests = fake.requests();
    assert!(requests[0].target.starts_with("http://datafy.invalid/"), "{:?}", requests[0]);
    assert_eq!(requests[0].header("host"), Some("datafy.invalid"));
}
