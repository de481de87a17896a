//! Gets the token from a function, for example from a vault. It is renewed when the service refuses it.
//!
//! `cargo run --example token_provider` runs on a fake Datafy in this process.

use datafy_api_ext::fake::{Fake, Fault, Reply};
use datafy_api_ext::{Token, VolumeId};
use std::error::Error;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

const REVOKED: &str = "token-of-yesterday";
const VALID: &str = "token-of-today";

/// The number of times that the vault was asked.
static ASKED: AtomicUsize = AtomicUsize::new(0);

/// Simulates a vault whose token is rotated after the first request.
async fn from_vault() -> io::Result<String> {
    let token = if ASKED.fetch_add(1, Ordering::Relaxed) == 0 { REVOKED } else { VALID };
    Ok(token.to_owned())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let volume = VolumeId::new("vol-0b9176567fe16f0bc")?;
    let fake = Fake::start().await?;
    // The fake accepts only the new token, so the first request fails.
    fake.rotate_token(Fake::TOKEN, VALID);
    fake.add_volume(volume.clone(), 100);
    let datafy = fake.client().token(Token::provider(from_vault)).build()?;
    // Building a client doesn't call the provider, so a program starts even if the vault is down.
    assert_eq!(ASKED.load(Ordering::Relaxed), 0);

    // A 401 proves that there was no effect, so even a create is retried with the new token.
    let volume = datafy.volume(volume);
    volume.create_snapshot().await?;
    // The client keeps the new token.
    volume.create_snapshot().await?;
    println!("asked the vault {} times", ASKED.load(Ordering::Relaxed));
    assert_eq!(ASKED.load(Ordering::Relaxed), 2);
    let requests = fake.requests();
    let tokens: Vec<_> = requests.iter().filter_map(|sent| sent.header("authorization")).collect();
    let [revoked, valid] = [REVOKED, VALID].map(|token| format!("Bearer {token}"));
    assert_eq!(tokens, [&revoked, &valid, &valid]);
    assert_eq!(fake.snapshots().len(), 2);

    // The service sends the token back in its message, which may be logged.
    let echo = format!(r#"{{"message": "{VALID} may not do that"}}"#);
    fake.inject(Fault::Answer(Reply::status(403).body(echo)));
    let Err(error) = volume.create_snapshot().await else {
        return Err("the snapshot was not refused".into());
    };
    println!("{datafy:?}\n{error}\n{error:?}");
    let shown = format!("{datafy:?} {volume:?} {error} {error:?}");
    assert!(![REVOKED, VALID].iter().any(|token| shown.contains(token)));
    assert!(error.message().is_some_and(|text| *text == "[token] may not do that"));
    Ok(())
}
