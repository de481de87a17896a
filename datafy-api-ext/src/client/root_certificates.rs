//! The certificate authorities that a client trusts in addition to those of the platform.
//!
//! Only builds with TLS have this module.

use super::BoxError;
use crate::client::ConfigError;
use reqwest::Certificate;
use std::io;

/// The line before each certificate in PEM format.
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// Certificates in PEM format, and where they are from.
pub(crate) type Pem = (String, io::Result<Vec<u8>>);

/// Returns the certificates in all `pems`. Fails if one of them can't be used, whether or not the endpoint uses TLS.
pub(crate) fn read(pems: Vec<Pem>) -> Result<Vec<Certificate>, ConfigError> {
    let unusable = |which: &str, error: BoxError| {
        ConfigError::new(format!("the root certificates can't be used: {which}")).because(error)
    };
    let mut all = Vec::new();
    for (place, pem) in pems {
        let pem = pem.map_err(|error| unusable(&place, error.into()))?;
        // Other bytes than ASCII may only be in comments.
        let pem = String::from_utf8_lossy(&pem);
        let mut texts = pem.split(BEGIN).zip(0..).skip(1).peekable();
        if texts.peek().is_none() {
            return Err(unusable(&place, format!("it has no line `{BEGIN}`").into()));
        }
        for (text, number) in texts {
            let which = format!("certificate {number} of {place}");
            let certificate = certificate(&format!("{BEGIN}{text}"));
            all.push(certificate.map_err(|error| unusable(&which, error))?);
        }
    }
    Ok(all)
}

/// Reads one certificate, and checks that it can be trusted.
fn certificate(pem: &str) -> Result<Certificate, BoxError> {
    let certificates = Certificate::from_pem_bundle(pem.as_bytes()).map_err(super::http::cause)?;
    let certificate = certificates.into_iter().next().ok_or("it has no end")?;
    // reqwest parses the certificate only now.
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([certificate.clone()]);
    client.build().map_err(super::http::cause)?;
    Ok(certificate)
}
