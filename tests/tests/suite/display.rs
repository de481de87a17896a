//! An error as a line in a log.

use datafy_api_ext::RetryPolicy;
use datafy_api_ext::fake::{Fault, Reply};
use datafy_tests::{Operation, Stage};
use serde_json::json;

#[tokio::test]
async fn characters_that_would_distort_the_line_are_shown_as_spaces() {
    let stage = Stage::of(1).await;
    let datafy = stage.builder().retry(RetryPolicy::none()).build().unwrap();
    let message = "no\u{2028}such\u{202e}volume\u{200b}\n\u{feff}here";
    let answer = Reply::json(429, &json!({ "message": message }))
        .header("x-request-id", "request-1")
        .header("retry-after", "18446744073709551615");
    stage.fake.inject(Fault::Answer(answer));
    let error = Operation::Attach.call(&datafy, 0).await.unwrap_err();
    assert_eq!(
        error.to_string().replace(&stage.fake.endpoint(), "[endpoint]"),
        "attach of vol-seed0 to i-1 as sd0 at [endpoint] was refused: 429 Too Many Requests: no such volume   here; \
         request ID request-1; try again in more than 2 days"
    );
    assert_eq!(error.message(), Some(message), "the message itself is unchanged");
}
