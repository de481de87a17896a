//! The certificate authorities that a client trusts in addition to those of the platform.
//!
//! Only builds with TLS have this module.

use super::BoxError;
use crate::client::ConfigError;
use reqwest::Certificate;
use std::borrow::Cow;
use std::fs;
use std::path::PathBuf;

/// The line before each certificate in PEM format.
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// Certificates in PEM format.
pub(crate) enum Pem {
    Text(Vec<u8>),
    File(PathBuf),
}

/// Returns the certificates in all `pems`. Fails if one of them can't be used, whether or not the endpoint uses TLS.
pub(crate) fn read(pems: &[Pem]) -> Result<Vec<Certificate>, ConfigError> {
    let mut all = Vec::new();
    for (pem, number) in pems.iter().zip(1..) {
        let place = match pem {
            Pem::File(path) => path.display().to_string(),
            Pem::Text(_) if pems.len() == 1 => "the PEM text".to_owned(),
            Pem::Text(_) => format!("PEM text {number}"),
        };
        all.extend(pem.certificates().map_err(|(which, source)| {
            let which =
                which.map_or_else(|| place.clone(), |n| format!("certificate {n} of {place}"));
            ConfigError::RootCertificate { which, source }
        })?);
    }
    Ok(all)
}

impl Pem {
    /// Returns the certificates, or the number of the one that can't be used, if one is at fault, and why.
    fn certificates(&self) -> Result<Vec<Certificate>, (Option<usize>, BoxError)> {
        let pem = match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::File(path) => Cow::Owned(fs::read(path).map_err(|error| (None, error.into()))?),
        };
        // Other bytes than ASCII may only be in comments.
        let pem = String::from_utf8_lossy(&pem);
        let certificates = pem.split(BEGIN).zip(0..).skip(1).map(|(text, number)| {
            certificate(&format!("{BEGIN}{text}")).map_err(|error| (Some(number), error))
        });
        let certificates = certificates.collect::<Result<Vec<_>, _>>()?;
        if certificates.is_empty() {
            return Err((None, format!("it has no line `{BEGIN}`").into()));
        }
        Ok(certificates)
    }
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
