//! The certificate authorities that a client trusts in addition to those of the platform. Only builds with TLS have them.

use super::BoxError;
use super::ConfigError;
use super::http::{Custom, cause};
use reqwest::{Certificate, Client};
use std::fs;
use std::path::Path;

/// The line before each certificate in PEM format.
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// Returns the setting that trusts the certificates in the file. Fails if one of them can't be used.
pub(super) fn read(path: &Path) -> Result<Custom, ConfigError> {
    let path_shown = path.display();
    let unusable = |which: String, error: BoxError| {
        ConfigError::new(format!("{which} can't be used as root certificate")).because(error)
    };
    let in_file = |error: BoxError| unusable(format!("the file {path_shown}"), error);
    let pem = fs::read(path).map_err(|error| in_file(error.into()))?;
    // Other bytes than ASCII may only be in comments.
    let pem = String::from_utf8_lossy(&pem);
    let certificates = pem.split(BEGIN).zip(0..).skip(1).map(|(text, number)| {
        let certificate = certificate(&format!("{BEGIN}{text}"));
        certificate
            .map_err(|error| unusable(format!("certificate {number} of {path_shown}"), error))
    });
    let certificates = certificates.collect::<Result<Vec<_>, _>>()?;
    if certificates.is_empty() {
        return Err(in_file(format!("it has no line `{BEGIN}`").into()));
    }
    Ok(Box::new(move |http| http.tls_certs_merge(certificates.iter().cloned())))
}

/// Reads one certificate. reqwest parses it only when a client is built, and doesn't say which one it can't use.
fn certificate(pem: &str) -> Result<Certificate, BoxError> {
    let mut certificates = Certificate::from_pem_bundle(pem.as_bytes()).map_err(cause)?;
    let certificate = certificates.pop().ok_or("it has no end")?;
    let client = Client::builder().no_proxy().tls_certs_only([certificate.clone()]);
    client.build().map_err(cause)?;
    Ok(certificate)
}
