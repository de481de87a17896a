//! An HTTP client with settings of one's own: here calls go through a proxy.
//!
//! `cargo run --example proxy` does it with a small proxy and a fake Datafy in this process.

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
    fake.account().add_volume(volume.clone(), 100);
    let upstream = fake.endpoint().trim_start_matches("http://").parse()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let proxy = Proxy::all(format!("http://{}", listener.local_addr()?))?;
    tokio::spawn(serve(listener, upstream));

    let datafy = Datafy::builder()
        .token(Fake::TOKEN)
        // A name that nobody can resolve: whoever answers, the proxy has found it.
        .endpoint("http://datafy.invalid")
        // A proxy in clear text reads the token. With https, as with the vendor's endpoint, it can't.
        .allow_plain_http()
        // Proxies in HTTPS_PROXY and NO_PROXY are obeyed without this. It is for what variables can't say:
        // also a resolver, a network interface, a certificate of the client's own.
        .configure_reqwest(move |http| {
            http.proxy(proxy.clone()).tcp_keepalive(Duration::from_secs(15))
        })
        .build()?;
    datafy.volume(volume).create_snapshot().await?;

    let requests = fake.requests();
    println!("the fake was asked for {}", requests[0].target());
    assert!(requests[0].target().starts_with("http://datafy.invalid/"));
    Ok(())
}

/// The least that a proxy can be: it sends everything on to one place.
async fn serve(listener: TcpListener, upstream: SocketAddr) -> std::io::Result<()> {
    loop {
        let (mut client, _) = listener.accept().await?;
        let mut server = TcpStream::connect(upstream).await?;
        tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
    }
}
