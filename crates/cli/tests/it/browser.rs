//! `wharf dev` in a real browser: what is saved shows by itself, mistakes stand on the page, and nothing that a guest says becomes markup.
//!
//! The app is one in C, made of its template: its compiler is quick, and what it says of a mistake has the line with the mistake in it.

use crate::support::wharf_with_tools;
use wharf_testkit::services::Browser;
use wharf_testkit::{App, Server, tools, until};

/// A line of the template's source, which tests put others in the place of.
const ANSWER: &str = "respond(out, 200, \"Hello from C!\\n\");";

/// What would run if a text became markup.
const MARKUP: &str = "<script>window.harmed=1</script>";

/// What would be wrong with the page then.
const HARM: &str =
    "return 'harmed' in window || [...document.scripts].some((script) => !script.src.endsWith('client.js'))";

/// An app, and the browser of who develops it.
struct Site {
    app: App,
    source: String,
    browser: Browser,
}

impl Site {
    /// Begins it; nothing, after telling so, where the compiler or the browser is missing.
    fn new() -> Option<Self> {
        if !tools::are_there(&["clang-19"]) {
            return None;
        }
        let browser = Browser::start()?;
        let app = App::empty();
        wharf_with_tools().run_in(app.folder(), ["new", "shop", "--template", "c-http"]).well();
        let source = std::fs::read_to_string(app.path("shop/app.c")).unwrap();
        assert!(source.contains(ANSWER) && source.contains("text/plain"), "{source}");
        Some(Self { app, source: source.replace("text/plain", "text/html"), browser })
    }

    /// Saves the source with `statement` as what answers, and `before` all functions.
    fn save(&self, statement: &str, before: &str) {
        let include = "#include \"http.h\"\n";
        let source = self.source.replace(ANSWER, statement).replace(include, &format!("{include}{before}"));
        self.app.write("shop/app.c", source);
    }

    /// Starts `wharf dev` and goes to its page. Nothing after it does: what shows later, the page has asked for itself.
    fn open(&self) -> Server {
        // Where it is to optimise, clang runs any `wasm-opt` that it finds, which takes the names of functions away.
        let server = wharf_with_tools().env("CFLAGS", "-O0").dev(self.app.path("shop")).start();
        self.browser.open(&server.url);
        server
    }

    /// Waits until the page shows `texts` and none of `not`, with [`MARKUP`] as a text.
    #[track_caller]
    fn shows_markup_as_text(&self, texts: &[&str], not: &[&str]) {
        self.browser.shows(texts, not);
        assert_eq!(self.browser.run(HARM), false, "{}", self.browser.run("return document.documentElement.outerHTML"));
        self.browser.shows(&[MARKUP], not);
    }
}

/// A statement that answers with a page.
fn page(heading: &str) -> String {
    format!("respond(out, 200, \"<!doctype html><title>shop</title><h1>{heading}</h1>\");")
}

#[test]
fn what_is_saved_shows_in_the_page_that_is_open() {
    let Some(site) = Site::new() else { return };
    site.save(&page("first"), "");
    let _server = site.open();
    site.browser.shows(&["first"], &[]);
    let kind = "return performance.getEntriesByType('navigation')[0].type";
    assert_eq!(site.browser.run(kind), "navigate");
    site.save(&page("second"), "");
    site.browser.shows(&["second"], &["first"]);
    assert_eq!(site.browser.run(kind), "reload");
    // As often as something is saved, not only once.
    site.save(&page("third"), "");
    site.browser.shows(&["third"], &["second"]);
}

#[test]
fn a_page_of_an_earlier_version_reloads_once_for_each() {
    let Some(site) = Site::new() else { return };
    // As if it had been on its way while a version was put in place, however often the browser asks again.
    let late = |heading: &str| {
        let count = "<script>sessionStorage.loads = 1 + Number(sessionStorage.loads ?? 0)</script>";
        let script = "<script src=/.wharf/dev/client.js data-version=1></script>";
        page(&format!("{heading}{count}{script}"))
    };
    site.save(&late("first"), "");
    let _server = site.open();
    let loads = "return sessionStorage.loads";
    until("a reload", || site.browser.run(loads) == "2");
    site.save(&late("second"), "");
    site.browser.shows(&["second"], &["first"]);
    assert_eq!(site.browser.run(loads), "3");
}

#[test]
fn a_failed_build_stands_on_the_page_until_it_is_mended() {
    let Some(site) = Site::new() else { return };
    site.save(&page("first"), "");
    let _server = site.open();
    site.browser.shows(&["first"], &[]);
    site.browser.run("window.isKept = true");
    let mistake = format!("respond(out, 200, unknown_text); // {MARKUP}");
    site.save(&mistake, "");
    let failed = ["could not be built", "the build of shop failed", "undeclared identifier 'unknown_text'", "first"];
    site.shows_markup_as_text(&failed, &[]);
    // What was there before is there again, without a reload.
    site.save(&page("first"), "");
    site.browser.shows(&["first"], &["could not be built"]);
    assert_eq!(site.browser.run("return window.isKept"), true);
    site.save(&mistake, "");
    site.browser.shows(&failed, &[]);
    site.save(&page("second"), "");
    site.browser.shows(&["second"], &["could not be built"]);
}

#[test]
fn the_first_version_shows_in_the_page_that_was_told_there_is_none() {
    let Some(site) = Site::new() else { return };
    site.save(&format!("respond(out, 200, unknown_text); // {MARKUP}"), "");
    let _server = site.open();
    site.shows_markup_as_text(&["the build of shop failed", "undeclared identifier 'unknown_text'"], &[]);
    // Another mistake is another reason.
    site.save("respond(out, 200, other_text);", "");
    site.browser.shows(&["undeclared identifier 'other_text'"], &[]);
    site.save(&page("first"), "");
    site.browser.shows(&["first"], &["could not be built"]);
}

#[test]
fn a_trap_and_an_error_stand_on_the_page_as_text() {
    let Some(site) = Site::new() else { return };
    // A function's name is whatever its compiler says, and stands in the backtrace.
    let trap = format!(
        "__attribute__((noinline)) void trip(void) __asm__(\"{MARKUP}\");\n\
         void trip(void) {{ __builtin_trap(); }}\n"
    );
    site.save("trip();", &trap);
    let _server = site.open();
    site.shows_markup_as_text(&["500", "the component trapped", "WHARF-0030", "unreachable"], &[]);
    let why = format!("{MARKUP}{}", "long".repeat(100));
    let error = format!(
        "http_string_t why = {{(uint8_t *)\"{why}\", strlen(\"{why}\")}};\n\
         wasi_http_types_result_own_outgoing_response_error_code_t result = {{.is_err = true}};\n\
         result.val.err.tag = WASI_HTTP_TYPES_ERROR_CODE_INTERNAL_ERROR;\n\
         result.val.err.val.internal_error = (http_option_string_t){{.is_some = true, .val = why}};\n\
         wasi_http_types_static_response_outparam_set(out, &result);"
    );
    site.save(&error, "");
    site.shows_markup_as_text(&["502", "WHARF-0036"], &["the component trapped"]);
    // A narrow window has room for it.
    site.browser.resize(500, 700);
    assert_eq!(site.browser.run("return document.documentElement.scrollWidth <= innerWidth"), true);
    site.save(&page("mended"), "");
    site.browser.shows(&["mended"], &["WHARF"]);
}
