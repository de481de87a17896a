//! Changes the settings of the HTTP client: here, to make calls through a proxy.
//!
//! `cargo run --example proxy` runs a small proxy and a fake Datafy in this process.

use datafy_api_ext::datafy_api::reqwest::Proxy;
use datafy_api_ext::fake::Fake;
use datafy_api_ext::{Datafy, VolumeId};
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let volume = VolumeId::new("vol-0b9176567fe16f0bc")?;
    let fake = Fake::start().await?;
    fake.add_volume(volume.clone(), 100);
    let upstream = fake.endpoint().trim_start_matches("http://").parse()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let proxy = Proxy::all(format!("http://{}", listener.local_addr()?))?;
    tokio::spawn(serve(listener, upstream));

    let datafy = Datafy::builder()
        .token(Fake::TOKEN)
        // This name can't be resolved, so only the proxy can reach the fake.
        .endpoint("http://datafy.invalid")
        // With plain http the proxy can read the token. With https, as for the vendor's endpoint, it can't.
        .allow_plain_http()
        // The variables HTTPS_PROXY and NO_PROXY work without this. Use it for other settings, such as a resolver, a
        // network interface or a client certificate.
        .configure_reqwest(move |http| {
            http.proxy(proxy.clone()).tcp_keepalive(Duration::from_secs(15))
        })
        .build()?;
    datafy.volume(volume).create_snapshot().await?;

    let requests = fake.requests();
    println!("the fake received a request for {}", requests[0].target);
    assert!(requests[0].target.starts_with("http://datafy.invalid/"));
    Ok(())
}

/// A minimal proxy: forwards every connection to `upstream`.
async fn serve(listener: TcpListener, upstream: SocketAddr) -> std::io::Result<()> {
    loop {
        let (mut client, _) = listener.accept().await?;
        let mut server = TcpStream::connect(upstream).await?;
        tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
    }
}
