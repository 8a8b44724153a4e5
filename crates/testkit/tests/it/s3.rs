//! S3, by curl, which can sign.

use std::process::Command;

use wharf_testkit::services::S3;

/// Sends one signed request and returns the status and the body.
fn curl(s3: &S3, key: &str, path: &str, args: &[&str]) -> (u16, String) {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--write-out", "\n%{http_code}"]);
    command.args([
        "--aws-sigv4",
        &format!("aws:amz:{}:s3", S3::REGION),
        "--user",
        &format!("{}:{key}", S3::ACCESS_KEY),
    ]);
    // The original wants the digest of the body, and takes this for it.
    command.args(["--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]).args(args);
    let output = command.arg(format!("{}{path}", s3.url())).output().expect("curl runs");
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), body.to_owned())
}

#[test]
fn keeps_objects_when_it_is_killed() {
    let Some(s3) = S3::start() else { return };
    s3.create_bucket("bucket");
    let put = ["--request", "PUT", "--data-binary", "hello", "--header", "if-none-match: *"];
    assert_eq!(curl(&s3, S3::SECRET_KEY, "/bucket/key", &put).0, 200);
    assert_eq!(curl(&s3, S3::SECRET_KEY, "/bucket/key", &put).0, 412);
    s3.kill();
    assert!(!s3.is_alive());
    s3.restart();
    assert_eq!(curl(&s3, S3::SECRET_KEY, "/bucket/key", &[]), (200, "hello".to_owned()), "{}", s3.log());
    assert_eq!(curl(&s3, S3::SECRET_KEY, "/bucket/key", &["--range", "1-2"]), (206, "el".to_owned()));
    let (status, list) = curl(&s3, S3::SECRET_KEY, "/bucket/?list-type=2", &[]);
    assert!(status == 200 && list.contains("<Key>key</Key>"), "{status} {list}");
    assert_eq!(curl(&s3, "wrong", "/bucket/key", &[]).0, 403);
    assert_eq!(curl(&s3, S3::SECRET_KEY, "/bucket/none", &[]).0, 404);
}
