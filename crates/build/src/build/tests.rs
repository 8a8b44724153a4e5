use super::*;
use crate::PreinitError;
use std::cell::RefCell;
use std::time::SystemTime;

const MODULE: &str =
    "(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func (param i32))) (memory (export \"memory\") 1)
     (func (export \"_start\")))";

struct Project {
    folder: tempfile::TempDir,
    app: App,
}

impl Project {
    fn new(components: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("module.wasm"), wat::parse_str(MODULE).unwrap()).unwrap();
        fs::write(folder.path().join("component.wasm"), wat::parse_str("(component)").unwrap()).unwrap();
        let (app, problems) = wharf_app::parse(&format!("name = \"n\"\n{components}"));
        Self { folder, app: app.unwrap_or_else(|| panic!("{problems:?}")) }
    }

    fn options(&self) -> Options {
        let path = Some("/usr/local/bin:/usr/bin:/bin".into());
        Options { folder: self.folder.path().to_owned(), path, only: None, force: false, jobs: 2 }
    }

    async fn build(&self) -> (Vec<Outcome>, Vec<String>) {
        let events = RefCell::new(Vec::new());
        let tell = |event: Event<'_>| {
            events.borrow_mut().push(match event {
                Event::Started { component, .. } => format!("{component} started"),
                Event::Said { component, line } => format!("{component} said {line}"),
                Event::Ended { .. } => return,
                Event::Installing { command, .. } => format!("installing {command}"),
                Event::Done { component, result } => {
                    format!("{component} {}", if result.is_ok() { "done" } else { "failed" })
                }
            });
        };
        let outcomes = build(&self.app, &self.options(), &tell).await;
        (outcomes, events.into_inner())
    }

    async fn error(&self) -> Error {
        self.build().await.0.remove(0).result.unwrap_err()
    }

    fn kind(&self, file: &str) -> wharf_component::Kind {
        wharf_component::inspect(&fs::read(self.folder.path().join(file)).unwrap()).unwrap().kind
    }
}

fn component(command: &str, more: &str) -> String {
    format!(
        "[component.a]\nsource = \"out.wasm\"\nbuild = {{ command = '''{command}''', watch = [\"*.src\"]{more} }}\n"
    )
}

#[tokio::test]
async fn a_component_is_built_when_it_is_missing_and_not_again() {
    let project = Project::new(&component("echo building; cp component.wasm out.wasm", ""));
    let (outcomes, events) = project.build().await;
    assert!(outcomes[0].result.as_ref().unwrap().took.is_some());
    assert_eq!(events, ["a started", "a said building", "a done"]);
    let (outcomes, events) = project.build().await;
    assert!(outcomes[0].result.as_ref().unwrap().took.is_none());
    assert_eq!(events, ["a done"]);
}

#[tokio::test]
async fn a_source_that_changed_nothing_is_built_once() {
    let project = Project::new(&component("test -f out.wasm || cp component.wasm out.wasm", ""));
    project.build().await;
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let out = fs::File::options().append(true).open(project.folder.path().join("out.wasm")).unwrap();
    out.set_modified(old).unwrap();
    fs::write(project.folder.path().join("x.src"), "").unwrap();
    assert_eq!(project.build().await.1, ["a started", "a done"]);
    assert_eq!(project.build().await.1, ["a done"]);
}

#[tokio::test]
async fn a_module_is_made_a_component_in_its_place_or_beside_it() {
    let in_place = Project::new(&component("cp module.wasm out.wasm", ""));
    assert!(in_place.build().await.0[0].result.as_ref().unwrap().of_module);
    assert_eq!(in_place.kind("out.wasm"), wharf_component::Kind::Component);
    let beside =
        Project::new(&component("mkdir made && cp module.wasm made/core.wasm", ", module = \"made/core.wasm\""));
    assert!(beside.build().await.0[0].result.as_ref().unwrap().of_module);
    assert_eq!(beside.kind("out.wasm"), wharf_component::Kind::Component);
    assert_eq!(beside.kind("made/core.wasm"), wharf_component::Kind::Module);
}

#[tokio::test]
async fn what_goes_wrong_is_said() {
    let failed = Project::new(&component("echo oh; exit 3", "")).error().await;
    assert!(matches!(&failed, Error::Failed { said, .. } if said == "oh\n"), "{failed:?}");
    assert_eq!(failed.code(), Some("WHARF-0060"));
    let hangs = Project::new(&component("echo thinking; sleep 600", ", timeout = \"1s\"")).error().await;
    assert!(matches!(&hangs, Error::TimedOut { said, .. } if said == "thinking\n"), "{hangs:?}");
    let nothing = Project::new(&component("true", "")).error().await;
    assert!(matches!(&nothing, Error::NoOutput { key: "source", .. }), "{nothing:?}");
    let nothing = Project::new(&component("cp component.wasm out.wasm", ", module = \"core.wasm\"")).error().await;
    assert!(matches!(&nothing, Error::NoOutput { key: "module", .. }), "{nothing:?}");
    let text = Project::new(&component("echo text > out.wasm", "")).error().await;
    assert!(matches!(&text, Error::Inspect { .. }), "{text:?}");
    let worldless = Project::new(&component("printf '\\000asm\\001\\000\\000\\000' > out.wasm", "")).error().await;
    assert!(matches!(&worldless, Error::Module { .. }), "{worldless:?}");
    let missing = Project::new(&component("componentize-py-not-here", "")).error().await;
    assert!(matches!(&missing, Error::MissingTool { tool, .. } if tool == "componentize-py-not-here"), "{missing:?}");
    let known = Project::new(&component("echo 'sh: 1: jco: not found'; exit 127", "")).error().await;
    assert!(matches!(&known, Error::MissingTool { tool, .. } if tool == "jco"), "{known:?}");
    assert!(known.to_string().contains("npm install"), "{known}");
}

#[tokio::test]
async fn one_command_for_several_components_runs_once_and_others_go_on_when_one_fails() {
    let shared =
        "{ command = \"echo once >> runs; cp component.wasm a.wasm; cp component.wasm b.wasm\", watch = [\"*.src\"] }";
    let project = Project::new(&format!(
        "[component.a]\nsource = \"a.wasm\"\nbuild = {shared}\n[component.b]\nsource = \"b.wasm\"\nbuild = {shared}\n\
         [component.c]\nsource = \"c.wasm\"\nbuild = \"false\"\n[component.d]\nsource = \"component.wasm\"\n"
    ));
    let (outcomes, _) = project.build().await;
    let done: Vec<_> = outcomes.iter().map(|outcome| (outcome.component.as_str(), outcome.result.is_ok())).collect();
    assert_eq!(done, [("a", true), ("b", true), ("c", false), ("d", true)]);
    assert_eq!(fs::read_to_string(project.folder.path().join("runs")).unwrap(), "once\n");
}

/// Has a table to make, and a world without functions: `init` makes it, `bad` cannot be kept.
const UNPREPARED: &str = "(component
    (core module $m (global $made (mut i32) (i32.const 0))
        (func (export \"init\") (global.set $made (i32.const 1)))
        (func (export \"other\") (global.set $made (i32.const 2)))
        (func (export \"bad\") unreachable) (func (export \"loop\") (loop (br 0))))
    (core instance (instantiate $m)))";

impl Project {
    /// A component that is made of [`UNPREPARED`] by a command that does nothing when its output is there.
    fn unprepared(more: &str) -> Self {
        let project = Self::new(&component("test -f out.wasm || cp raw.wasm out.wasm", more));
        fs::write(project.folder.path().join("raw.wasm"), wat::parse_str(UNPREPARED).unwrap()).unwrap();
        project
    }

    fn change(&mut self, more: &str) {
        let (app, problems) =
            wharf_app::parse(&format!("name = \"n\"\n{}", component("test -f out.wasm || cp raw.wasm out.wasm", more)));
        self.app = app.unwrap_or_else(|| panic!("{problems:?}"));
    }

    fn mark(&self) -> Option<String> {
        stamp::of_file(&self.folder.path().join("out.wasm"))
    }

    fn out(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("out.wasm")).unwrap()
    }
}

#[tokio::test]
async fn a_component_is_initialised_once_and_anew_when_the_manifest_says_otherwise() {
    let mut project = Project::unprepared(", preinit = \"init\"");
    let built = project.build().await.0.remove(0).result.unwrap();
    assert_eq!((built.initialised.as_deref(), project.mark().as_deref()), (Some(""), Some("init")));
    let first = project.out();
    assert_eq!(built.size_bytes, first.len() as u64);
    assert_eq!(project.build().await.1, ["a done"]);
    // The command finds nothing to do, and neither do we.
    fs::write(project.folder.path().join("x.src"), "").unwrap();
    let old = fs::File::options().append(true).open(project.folder.path().join("out.wasm")).unwrap();
    old.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let again = project.build().await.0.remove(0).result.unwrap();
    assert!(again.took.is_some() && again.initialised.is_none());
    assert_eq!(project.out(), first);

    project.change(", preinit = \"other\"");
    assert!(project.build().await.0.remove(0).result.unwrap().initialised.is_some());
    assert_eq!(project.mark().as_deref(), Some("other"));
    assert_ne!(project.out(), first);
    project.change("");
    assert!(project.build().await.0.remove(0).result.unwrap().initialised.is_none());
    assert_eq!(project.out(), wat::parse_str(UNPREPARED).unwrap());
    project.change(", preinit = \"init\"");
    project.build().await;
    assert_eq!(project.out(), first);
}

#[tokio::test]
async fn one_that_was_initialised_elsewhere_is_taken_as_it_is_or_refused() {
    let made = Project::unprepared(", preinit = \"init\"");
    made.build().await;
    let project = Project::new(&component("cp made.wasm out.wasm", ""));
    fs::write(project.folder.path().join("made.wasm"), made.out()).unwrap();
    project.build().await.0.remove(0).result.unwrap();
    assert_eq!(project.mark(), None);
    assert_eq!(project.build().await.1, ["a done"]);
    let other = Project::new(&component("cp made.wasm out.wasm", ", preinit = \"other\""));
    fs::write(other.folder.path().join("made.wasm"), made.out()).unwrap();
    let error = other.error().await;
    assert!(
        matches!(&error, Error::Preinit { source, .. } if matches!(**source, PreinitError::Again { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_initialisation_that_fails_leaves_what_was_there() {
    let project = Project::unprepared(", preinit = \"bad\"");
    let error = project.error().await;
    assert_eq!(error.code(), Some("WHARF-0068"));
    assert!(error.to_string().contains("the initialisation `bad` of"), "{error}");
    assert_eq!(project.out(), wat::parse_str(UNPREPARED).unwrap());
    assert!(matches!(Project::unprepared(", preinit = true").error().await, Error::Preinit { .. }));
}

/// The thread that runs the guest is not the one that was told to stop.
#[tokio::test]
async fn an_initialisation_that_nobody_waits_for_ends() {
    let project = Project::unprepared(", preinit = \"loop\"");
    let out = project.folder.path().join("out.wasm");
    let options = project.options();
    let building = build(&project.app, &options, &|_| {});
    let there = async {
        while !out.exists() {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    tokio::select! {
        _ = building => panic!("it ended"),
        () = there => {}
    }
    // The runtime of this test waits for its threads when it is dropped: for ten minutes, or not at all.
}
