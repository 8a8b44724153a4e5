//! The browser, through its driver.

use wharf_testkit::services::Browser;
use wharf_testkit::until;

use crate::guard::is_used;

#[test]
fn shows_pages_and_runs_scripts_in_them() {
    let Some(browser) = Browser::start() else { return };
    browser.open("data:text/html,<p>plain</p><div id=host></div>");
    browser.run("document.getElementById('host').attachShadow({ mode: 'open' }).innerHTML = '<p>in the shadow</p>'");
    let text = browser.shows(&["plain", "in the shadow"], &["<p>"]);
    assert_eq!(text.matches("plain").count(), 1, "{text}");
    browser.run("setTimeout(() => { document.body.textContent = 'later' }, 10)");
    browser.shows(&["later"], &["plain"]);
    assert_eq!(browser.run("return [1, document.body.textContent]"), serde_json::json!([1, "later"]));
    let width = "return innerWidth";
    browser.resize(900, 700);
    let wide = browser.run(width).as_u64();
    browser.resize(600, 700);
    assert!(browser.run(width).as_u64() < wide);
}

#[test]
fn ends_with_all_its_processes_and_leaves_nothing() {
    let Some(browser) = Browser::start() else { return };
    let folder = browser.folder().to_owned();
    assert!(folder.join("profile").exists() && is_used(&folder));
    drop(browser);
    // What reports its crashes is no child of it, and ends when it hears of its end.
    until("the end of its processes", || !is_used(&folder));
    assert!(!folder.exists());
}
