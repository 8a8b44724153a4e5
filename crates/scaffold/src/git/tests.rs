use super::*;

fn parsed(text: &str) -> Option<(String, Option<String>, Option<String>)> {
    Repository::parse(text).ok().map(|found| (found.url, found.reference, found.folder))
}

#[test]
fn urls_have_a_reference_and_a_folder() {
    for (text, url, reference, folder) in [
        ("git+https://a.example/b.git", "https://a.example/b.git", None, None),
        ("git+https://a.example/b@v1", "https://a.example/b", Some("v1"), None),
        ("git+https://a.example/b#c/d", "https://a.example/b", None, Some("c/d")),
        ("git+https://a.example/b@v1#c/", "https://a.example/b", Some("v1"), Some("c")),
        ("git+ssh://git@a.example/b", "ssh://git@a.example/b", None, None),
        ("git+ssh://git@a.example/b@main#", "ssh://git@a.example/b", Some("main"), None),
        ("git+file:///tmp/x", "file:///tmp/x", None, None),
    ] {
        assert_eq!(
            parsed(text),
            Some((url.to_owned(), reference.map(str::to_owned), folder.map(str::to_owned))),
            "{text}"
        );
    }
}

#[test]
fn what_git_would_run_or_read_otherwise_is_refused() {
    for text in [
        "git+ext::sh -c true",
        "git+--upload-pack=x",
        "git+https://",
        "git+https://a.example/b#../c",
        "git+https://a.example/b#/etc/../..",
        "git+https://a.example/b@--upload-pack=x",
        "git+https://a.example/b@",
        "git+/a/b",
    ] {
        assert_eq!(parsed(text), None, "{text}");
    }
}

#[test]
fn a_repository_that_is_not_there_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("git+file://{}/none", folder.path().display());
    let error = Repository::parse(&url).unwrap().fetch().unwrap_err();
    assert!(matches!(&error, Error::Git { message, .. } if !message.is_empty()), "{error}");
}
