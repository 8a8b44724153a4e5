//! A run as the file that continuous integration reads: JUnit's XML, with a suite for each test file.

use crate::report::{Case, Summary, Verdict, plain};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use std::collections::BTreeMap;
use std::io::{self, Cursor};
use std::time::Duration;

/// Returns the file.
///
/// # Errors
/// Writing to memory does not fail; the error is the writer's.
pub fn junit(name: &str, cases: &[Case], summary: &Summary) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new_with_indent(Cursor::new(Vec::new()), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let mut files: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for case in cases {
        files.entry(&case.file).or_default().push(case);
    }
    let total = (summary.passed + summary.failed).to_string();
    writer
        .create_element("testsuites")
        .with_attributes([
            ("name", clean(name).as_str()),
            ("tests", &total),
            ("failures", &summary.failed.to_string()),
            ("time", &seconds(summary.took)),
        ])
        .write_inner_content(|writer| files.iter().try_for_each(|(file, cases)| suite(writer, file, cases)))?;
    Ok(writer.into_inner().into_inner())
}

type Xml = Writer<Cursor<Vec<u8>>>;

fn suite(writer: &mut Xml, file: &str, cases: &[&Case]) -> io::Result<()> {
    let failures = cases.iter().filter(|case| matches!(case.verdict, Verdict::Failed(_))).count();
    let errors = cases.iter().filter(|case| matches!(case.verdict, Verdict::Broken(_))).count();
    let took: Duration = cases.iter().map(|case| case.took).sum();
    writer
        .create_element("testsuite")
        .with_attributes([
            ("name", clean(file).as_str()),
            ("tests", &cases.len().to_string()),
            ("failures", &failures.to_string()),
            ("errors", &errors.to_string()),
            ("time", &seconds(took)),
        ])
        .write_inner_content(|writer| cases.iter().try_for_each(|case| testcase(writer, case)))?;
    Ok(())
}

fn testcase(writer: &mut Xml, case: &Case) -> io::Result<()> {
    let (file, line) = (clean(&case.file), case.line.map(|line| line.to_string()));
    let element = writer.create_element("testcase").with_attributes([
        ("name", clean(&case.name).as_str()),
        ("classname", &file),
        ("file", &file),
        ("time", &seconds(case.took)),
    ]);
    let element = match &line {
        Some(line) => element.with_attribute(("line", line.as_str())),
        None => element,
    };
    element.write_inner_content(|writer| {
        match &case.verdict {
            Verdict::Passed => {}
            Verdict::Broken(why) => problem(writer, "error", why.lines().next().unwrap_or_default(), why)?,
            Verdict::Failed(all) => {
                let texts: Vec<String> = all.iter().map(|(step, mismatch)| plain(step.as_deref(), mismatch)).collect();
                let first = all.first().map_or("", |(_, mismatch)| mismatch.what.as_str());
                problem(writer, "failure", first, &format!("{}\nagain: {}", texts.join("\n"), case.again))?;
            }
        }
        if case.verdict != Verdict::Passed && !case.log.is_empty() {
            let log = clean(&case.log.join("\n"));
            writer.create_element("system-out").write_text_content(BytesText::new(&log))?;
        }
        Ok(())
    })?;
    Ok(())
}

fn problem(writer: &mut Xml, element: &'static str, message: &str, text: &str) -> io::Result<()> {
    let (message, text) = (clean(message), clean(text));
    let element = writer.create_element(element).with_attribute(("message", message.as_str()));
    element.write_text_content(BytesText::new(&text)).map(drop)
}

fn seconds(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64())
}

/// Returns a text without characters that XML does not have, not even escaped.
fn clean(text: &str) -> String {
    let is_allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..) && c != '\u{7f}';
    text.chars().map(|c| if is_allowed(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Line, Mismatch};
    use quick_xml::Reader;

    fn case(name: &str, verdict: Verdict) -> Case {
        Case {
            file: "tests/<a>&.toml".into(),
            line: Some(3),
            name: name.into(),
            took: Duration::from_millis(1234),
            verdict,
            log: vec!["\u{1b}[31mred ]]> \0 & \"quoted\"".into()],
            seed: 1,
            again: "wharf test".into(),
        }
    }

    #[test]
    fn the_file_is_xml_whatever_tests_and_guests_are_called_and_say() {
        let mismatch = Mismatch { what: "body: <b> & \"c\"".into(), lines: vec![Line::Got("]]>\u{1}".into())] };
        let cases = [
            case("a < b & \"c\" 'd'", Verdict::Passed),
            case("fails", Verdict::Failed(vec![(None, mismatch)])),
            case("breaks", Verdict::Broken("no\n<way>".into())),
        ];
        let summary = Summary { passed: 1, failed: 2, took: Duration::from_secs(2) };
        let bytes = junit("shop", &cases, &summary).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let mut reader = Reader::from_str(&text);
        reader.config_mut().check_end_names = true;
        let mut elements = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => break,
                Event::Start(start) | Event::Empty(start) => {
                    start.attributes().for_each(|attribute| drop(attribute.unwrap()));
                    elements.push(String::from_utf8(start.name().as_ref().to_vec()).unwrap());
                }
                _ => {}
            }
        }
        let all = "testsuites testsuite testcase testcase failure system-out testcase error system-out";
        assert_eq!(elements.join(" "), all, "{text}");
        assert!(text.contains("tests=\"3\" failures=\"2\" time=\"2.000\""), "{text}");
        assert!(text.contains("&lt;way&gt;") && !text.contains('\u{1b}') && !text.contains('\0'), "{text}");
    }
}
