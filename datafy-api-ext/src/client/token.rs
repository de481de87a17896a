//! The bearer token: where it comes from, and what it consists of.

use super::{BoxError, ConfigError};
use futures_util::future::BoxFuture;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::fs::{self, File};
use std::future::Future;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The size of the largest token file that is read, in bytes.
const LARGEST: usize = 64 * 1024;

/// The source of a client's token.
///
/// If the service rejects a token with 401, the call gets a new one and sends its request once more; a fixed token
/// can't be renewed. However many calls are rejected at a time, one asks for the new token and the others use it.
///
/// White space around a token is ignored. The rest must be visible ASCII without quotation marks, and without the word
/// `Bearer`, which the client adds.
///
/// # Secrecy
/// The token appears in no `Debug`, error, source of an error, trace or journal, even if the service sends it back.
/// In everything that the service sends, `[token]` replaces the token and each fragment of it of 12 characters or
/// more: verbatim, in base64 (both alphabets, with or without padding, alone or within a longer text
/// such as `Bearer <token>`), percent-encoded, with JSON escapes, or with HTML's numeric references and its names for
/// ASCII characters. That is one layer of encoding; the content of a JSON string may have one more.
///
/// A token of 8 to 11 characters is redacted only as a whole, and a shorter one is not redacted. Nothing is redacted in
/// an error of a [`provider`](Self::provider): it must not contain a token.
#[doc(alias("bearer", "authentication", "api key"))]
pub struct Token(pub(super) Origin);

pub(super) enum Origin {
    Fixed(SecretString),
    File(PathBuf),
    Provider(Provider),
}

impl Origin {
    /// Returns the token in a text of this source, without the white space around it.
    pub(super) fn token<'t>(&self, text: &'t SecretString) -> Result<&'t str, ConfigError> {
        let token = text.expose_secret().trim();
        check(token).map_err(|problem| match self {
            Self::File(path) => {
                ConfigError::new(format!("the token in {} {problem}", path.display()))
            }
            _ => ConfigError::new(format!("the token {problem}")),
        })?;
        Ok(token)
    }
}

type Provider = Box<dyn Fn() -> BoxFuture<'static, Result<SecretString, BoxError>> + Send + Sync>;

impl Token {
    /// A token that never changes.
    pub fn fixed(token: impl Into<SecretString>) -> Self {
        Self(Origin::Fixed(token.into()))
    }

    /// A token that is read from a file.
    ///
    /// The file must be a regular file of at most 64 KiB of UTF-8. It is read when the client is built, and again when
    /// the service rejects the token.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Origin::File(path.into()))
    }

    /// A token that a function returns, for example from a vault.
    ///
    /// The provider is called before the first request, and again when the service rejects the token.
    ///
    /// ```
    /// use datafy_api_ext::Token;
    ///
    /// async fn from_vault() -> Result<String, std::io::Error> {
    ///     Ok("a-token".to_owned())
    /// }
    /// let token = Token::provider(from_vault);
    /// ```
    #[doc(alias("vault", "refresh"))]
    pub fn provider<F, Fut, T, E>(provider: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Into<SecretString>,
        E: Into<BoxError>,
    {
        Self(Origin::Provider(Box::new(move || {
            let token = provider();
            Box::pin(async move { token.await.map(Into::into).map_err(Into::into) })
        })))
    }
}

impl From<String> for Token {
    fn from(token: String) -> Self {
        Self::fixed(token)
    }
}

impl From<&str> for Token {
    fn from(token: &str) -> Self {
        Self::fixed(token)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Origin::Fixed(_) => f.write_str("Token::fixed(..)"),
            Origin::File(path) => write!(f, "Token::file({path:?})"),
            Origin::Provider(_) => f.write_str("Token::provider(..)"),
        }
    }
}

/// Returns the content of a token file, which must be a regular file.
pub(super) fn read(path: &Path) -> Result<SecretString, ConfigError> {
    let unusable =
        |problem: &str| ConfigError::new(format!("the token file {} {problem}", path.display()));
    let unreadable =
        |error: io::Error| unusable("can't be read; check its path and permissions").because(error);
    // Opening a pipe waits for a writer.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(unusable("is not a regular file; give the path of a regular file"));
    }
    // Allocated at its largest size: a buffer that grows leaves copies in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST + 1));
    let file = File::open(path).map_err(unreadable)?;
    file.take(LARGEST as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > LARGEST {
        return Err(unusable("is larger than 64 KiB; check the path"));
    }
    match str::from_utf8(&bytes) {
        Ok(text) => Ok(text.into()),
        Err(_) => Err(unusable("is not valid UTF-8; write the token to it as plain text")),
    }
}

/// Checks that a token consists of visible ASCII characters without quotes: to any other text, a service can only answer
/// 401. Fails with the reason, which doesn't show the token.
pub(super) fn check(token: &str) -> Result<(), String> {
    if token.is_empty() {
        return Err("is empty; check where it comes from".to_owned());
    }
    let scheme = token.split_once(char::is_whitespace).map(|(scheme, _)| scheme);
    if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer")) {
        return Err("begins with `Bearer`, which the client adds; leave it out".to_owned());
    }
    let unfit = |letter: &char| !letter.is_ascii_graphic() || matches!(letter, '"' | '\'' | '`');
    match token.chars().zip(1..).find(|(letter, _)| unfit(letter)) {
        None => Ok(()),
        Some((letter, position)) => {
            Err(format!("contains {letter:?} as its character {position}; remove it"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_is_no_token_is_refused_with_the_reason_and_the_place() {
        for (text, expected) in [
            ("", "is empty; check where it comes from"),
            ("\u{FEFF}secret", r"contains '\u{feff}' as its character 1; remove it"),
            ("secret\u{200B}", r"contains '\u{200b}' as its character 7; remove it"),
            ("sec ret", "contains ' ' as its character 4; remove it"),
            ("sec\r\nret", r"contains '\r' as its character 4; remove it"),
            ("sec\0ret", r"contains '\0' as its character 4; remove it"),
            ("s\u{e9}cret", "contains 'é' as its character 2; remove it"),
            ("\"secret\"", "contains '\"' as its character 1; remove it"),
            ("bearer\tsecret", "begins with `Bearer`, which the client adds; leave it out"),
        ] {
            assert_eq!(check(text).expect_err(text), expected);
        }
        for token in ["bearer", "Bearer.x", "!#$%&()*+,-./09:;<=>?@AZ[\\]^_az{|}~"] {
            assert_eq!(check(token), Ok(()), "{token}");
        }
    }
}
