//! The sources of a token, and when it is renewed.

use datafy_api_ext::fake::{Fake, Fault, verify};
use datafy_api_ext::{
    ConfigError, Datafy, DatafyBuilder, ErrorKind, Outcome, RetryPolicy, Timeouts, Token,
};
use datafy_tests::{Operation, Stage};
use secrecy::SecretString;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Returns a provider of `token-1`, `token-2`, and so on, and the number of its calls.
fn counting() -> (Token, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let token = Token::provider(move || {
        let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
        async move {
            // Lets other calls ask for a token too.
            tokio::task::yield_now().await;
            Ok::<_, std::io::Error>(format!("token-{number}"))
        }
    });
    (token, asked)
}

/// Returns a stage whose fake accepts `token` instead of its default token.
async fn stage_with(token: &str, size: usize) -> Stage {
    let stage = Stage::of(size).await;
    stage.fake.rotate_token(Fake::TOKEN, token);
    stage
}

#[tokio::test]
async fn after_a_401_one_call_renews_the_token_and_all_succeed_with_one_effect() {
    let stage = stage_with("token-2", 32).await;
    let (token, asked) = counting();
    let datafy = stage.builder().token(token).retry(RetryPolicy::none()).build().unwrap();
    let calls = (0..32).map(|number| {
        let datafy = datafy.clone();
        tokio::spawn(async move { Operation::CreateSnapshot.call(&datafy, number).await })
    });
    for (number, call) in calls.collect::<Vec<_>>().into_iter().enumerate() {
        let result = call.await.unwrap();
        verify(&stage.effects()[number], &result).unwrap();
        result.unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_second_401_ends_the_call_and_with_a_fixed_token_the_first() {
    let stage = stage_with("token-9", 1).await;
    let (token, asked) = counting();
    let datafy = stage.builder().token(token).build().unwrap();
    let error = Operation::CreateSnapshot.call(&datafy, 0).await.unwrap_err();
    assert_eq!((error.outcome(), error.status()), (Outcome::Refused, Some(401)));
    assert_eq!((error.attempts(), asked.load(Ordering::SeqCst)), (2, 2));
    let error = Operation::CreateSnapshot.call(&stage.client(), 0).await.unwrap_err();
    assert_eq!((error.attempts(), error.status()), (1, Some(401)));
}

#[tokio::test]
async fn a_token_file_is_read_again_after_a_401() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "  token-1 ").unwrap();
    let stage = stage_with("token-1", 1).await;
    let datafy = stage.builder().token(Token::file(file.path())).build().unwrap();
    Operation::Deactivate.call(&datafy, 0).await.unwrap();

    stage.fake.rotate_token("token-1", "token-2");
    std::fs::write(file.path(), "token-2\n").unwrap();
    Operation::Deactivate.call(&datafy, 0).await.unwrap();

    stage.fake.rotate_token("token-2", "token-3");
    file.close().unwrap();
    let error = Operation::Deactivate.call(&datafy, 0).await.unwrap_err();
    assert_eq!((error.outcome(), error.status()), (Outcome::Refused, Some(401)));
    assert!(error.to_string().contains("; then: the token file "), "{error}");
}

/// Builds a client in another thread, so that a build that blocks fails the test.
fn build(builder: DatafyBuilder) -> Result<Datafy, ConfigError> {
    let (sender, built) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(builder.build()));
    built.recv_timeout(Duration::from_secs(20)).expect("the build ends")
}

/// Returns the error that building a client with this token file ends with.
fn rejected(path: &Path) -> ConfigError {
    build(Datafy::builder().token(Token::file(path))).expect_err("an unusable file")
}

#[cfg(unix)]
fn make_fifo(path: &Path) {
    let status = std::process::Command::new("mkfifo").arg(path).status();
    assert!(status.expect("mkfifo is installed").success());
}

#[test]
fn the_error_of_an_unusable_token_file_names_the_file_and_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let table = [
        (directory.path().join("missing"), "can't be read; check its path and permissions"),
        (directory.path().to_owned(), "is not a regular file; give the path of a regular file"),
        (write("large", &vec![b'x'; 65 * 1024]), "is larger than 64 KiB; check the path"),
        (write("binary", b"token-\xFF"), "is not valid UTF-8; write the token to it as plain text"),
    ];
    for (path, expected) in table {
        let shown = rejected(&path).to_string();
        assert_eq!(shown, format!("the token file {} {expected}", path.display()));
    }
    for (content, expected) in [
        (&b" \n\t\n"[..], "is empty; check where it comes from"),
        (b"token-1\ntoken-2\n", r"contains '\n' as its character 8; remove it"),
    ] {
        let path = write("unusable", content);
        let shown = rejected(&path).to_string();
        assert_eq!(shown, format!("the token in {} {expected}", path.display()));
    }
    let largest = write("largest", &vec![b'x'; 64 * 1024]);
    build(Datafy::builder().token(Token::file(largest))).expect("64 KiB are allowed");
}

#[cfg(unix)]
#[test]
fn only_a_regular_file_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    make_fifo(&fifo);
    for path in [&fifo, Path::new("/dev/zero")] {
        let error = rejected(path).to_string();
        assert!(error.contains("is not a regular file"), "{error}");
    }
    let (file, link) = (directory.path().join("file"), directory.path().join("link"));
    std::fs::write(&file, "token-1").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    build(Datafy::builder().token(Token::file(link))).expect("a link to a regular file is allowed");
}

#[cfg(unix)]
#[tokio::test]
async fn a_renewal_reads_no_more_than_the_build() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, "token-1").unwrap();
    let stage = stage_with("token-2", 1).await;
    let timeouts = Timeouts::operation(Duration::from_secs(10));
    let builder = stage.builder().token(Token::file(&path)).timeouts(timeouts);
    let datafy = builder.build().unwrap();
    std::fs::remove_file(&path).unwrap();
    make_fifo(&path);
    let error = Operation::Deactivate.call(&datafy, 0).await.unwrap_err();
    // A thread that waits for a writer would keep the runtime from ending.
    drop(std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap());
    assert!(error.to_string().contains("is not a regular file"), "{error}");
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, vec![b'x'; 65 * 1024]).unwrap();
    let error = Operation::Deactivate.call(&datafy, 0).await.unwrap_err();
    assert!(error.to_string().contains("is larger than 64 KiB"), "{error}");
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let stage = Stage::of(1).await;
    let fails =
        Token::provider(|| async { Err::<SecretString, _>("the vault\u{1b}[2J is sealed") });
    let datafy = stage.builder().token(fails).build().unwrap();
    let error = Operation::CreateSnapshot.call(&datafy, 0).await.unwrap_err();
    assert_eq!((error.outcome(), error.kind()), (Outcome::NotSent, ErrorKind::Token));
    assert!(format!("{error:#}").contains(": the vault [2J is sealed"), "{error:#}");
    assert_eq!(error.attempts(), 4, "a provider may recover");

    let unsendable = Token::provider(|| async { Ok::<_, std::io::Error>("a\nb".to_owned()) });
    let datafy = stage.builder().token(unsendable).build().unwrap();
    let error = Operation::CreateSnapshot.call(&datafy, 0).await.unwrap_err();
    assert_eq!((error.outcome(), error.attempts()), (Outcome::NotSent, 1));

    let hangs = Token::provider(std::future::pending::<Result<String, std::io::Error>>);
    let timeouts = Timeouts::operation(Duration::from_millis(50));
    let datafy = stage.builder().token(hangs).timeouts(timeouts).build().unwrap();
    let error = Operation::CreateSnapshot.call(&datafy, 0).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert!(error.to_string().contains("no token was available within"), "{error}");
    assert_eq!(stage.fake.requests(), []);
}

#[tokio::test]
async fn a_renewed_token_leaves_an_unknown_outcome_unknown() {
    let stage = stage_with("token-1", 1).await;
    let (token, _) = counting();
    let datafy = stage.builder().token(token).build().unwrap();
    stage.fake.inject(Fault::ReadThenReset);
    stage.fake.inject_with(|_| Some(Fault::status(401)));
    let error = Operation::Attach.call(&datafy, 0).await.unwrap_err();
    assert_eq!((error.outcome(), error.attempts()), (Outcome::Unknown, 3));
}
