//! Puts a component of a template into the manifest of an app, whose comments and order stay.
//!
//! In: the manifest's text and the files of a scaffold. Out: the new text and the files, below a folder of their own. Next: [`crate::write`].

use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use crate::error::Error;
use crate::path;
use crate::render::Rendered;

/// The manifest in a template.
const MANIFEST: &str = "wharf.toml";

/// Tests of an app are beside its manifest.
const TESTS: &str = "tests/";

/// What is added, and where.
#[derive(Clone, Debug)]
pub struct Addition<'a> {
    /// The name of the component.
    pub name: &'a str,
    /// The folder of its sources, from the manifest, with `/`.
    pub folder: &'a str,
    /// The route of its first HTTP trigger; below `/NAME` when absent.
    pub route: Option<&'a str>,
}

/// Returns the manifest with the component of a scaffold in it, and the files without the scaffold's own manifest.
///
/// # Errors
///
/// A scaffold without a component, a component that the app has already, and a manifest that would have mistakes.
pub fn add_component(
    manifest: &str,
    files: Vec<Rendered>,
    addition: &Addition<'_>,
) -> Result<(String, Vec<Rendered>), Error> {
    path::check(addition.folder)?;
    let own =
        files.iter().find(|file| file.path == MANIFEST).map(|file| String::from_utf8_lossy(&file.bytes).into_owned());
    let own = own.ok_or_else(|| refused("the template", format!("it has no {MANIFEST}")))?;
    let mut app = read(MANIFEST, manifest)?;
    let template = read("the template's wharf.toml", &own)?;
    components(&mut app, &template, addition)?;
    variables(&mut app, &template);
    triggers(&mut app, &template, addition)?;
    let text = app.to_string();
    check(&text)?;
    let files = files.into_iter().filter(|file| file.path != MANIFEST).map(|file| moved(file, addition));
    Ok((text, files.collect()))
}

fn refused(manifest: &str, message: impl Into<String>) -> Error {
    Error::Manifest { manifest: manifest.to_owned(), message: message.into() }
}

fn read(name: &str, text: &str) -> Result<DocumentMut, Error> {
    text.parse().map_err(|error: toml_edit::TomlError| refused(name, error.to_string().trim_end()))
}

/// Refuses a text that `wharf up` would refuse.
fn check(text: &str) -> Result<(), Error> {
    let (app, problems) = wharf_app::parse(text);
    if app.is_some() {
        return Ok(());
    }
    let errors = problems.iter().filter(|problem| problem.severity == wharf_app::Severity::Error);
    let errors: Vec<&str> = errors.map(|problem| problem.message.as_str()).collect();
    Err(refused(MANIFEST, format!("with the new component it would be wrong: {}", errors.join("; "))))
}

fn components(app: &mut DocumentMut, template: &DocumentMut, addition: &Addition<'_>) -> Result<(), Error> {
    let found = template.get("component").and_then(Item::as_table_like);
    let found =
        found.filter(|found| !found.is_empty()).ok_or_else(|| refused("the template", "it has no component"))?;
    let own = app.entry("component").or_insert_with(|| Item::Table(implicit()));
    let own = own.as_table_like_mut().ok_or_else(|| refused(MANIFEST, "`component` is no table"))?;
    for (name, component) in found.iter() {
        if own.contains_key(name) {
            return Err(refused(MANIFEST, format!("there is a component `{name}` already")));
        }
        let mut component = component.clone();
        forget_position(&mut component);
        if let Some(table) = component.as_table_like_mut() {
            relocate(table, addition.folder);
        }
        if let Some(table) = component.as_table_mut() {
            set_apart(table);
        }
        own.insert(name, component);
    }
    Ok(())
}

/// Gives every path of a component its new folder. Those of its build start at the build's folder.
fn relocate(component: &mut dyn TableLike, folder: &str) {
    prefix(component, "source", folder);
    if let Some(source) = component.get_mut("source").and_then(Item::as_table_like_mut) {
        prefix(source, "path", folder);
    }
    if let Some(command) = component.get("build").and_then(Item::as_str).map(str::to_owned) {
        let build = InlineTable::from_iter([("command", Value::from(command)), ("dir", Value::from(folder))]);
        component.insert("build", Item::Value(Value::InlineTable(build)));
    } else if let Some(build) = component.get_mut("build").and_then(Item::as_table_like_mut) {
        if build.contains_key("dir") {
            prefix(build, "dir", folder);
        } else {
            build.insert("dir", Item::Value(Value::from(folder)));
        }
    }
    if let Some(dependencies) = component.get_mut("dependencies").and_then(Item::as_table_like_mut) {
        for (_, dependency) in dependencies.iter_mut() {
            if let Some(dependency) = dependency.as_table_like_mut() {
                prefix(dependency, "path", folder);
            }
        }
    }
    let files =
        component.get_mut("grants").and_then(Item::as_table_like_mut).and_then(|grants| grants.get_mut("files"));
    for grant in files.and_then(Item::as_array_mut).into_iter().flat_map(|grants| grants.iter_mut()) {
        if let Some(text) = grant.as_str().filter(|text| is_relative(text)) {
            *grant = Value::from(format!("{folder}/{text}"));
        }
    }
}

/// Puts a folder before the relative path of a key.
fn prefix(table: &mut dyn TableLike, key: &str, folder: &str) {
    let Some(Item::Value(value)) = table.get_mut(key) else { return };
    let Some(path) = value.as_str().filter(|path| is_relative(path)) else { return };
    let path = if path == "." { folder.to_owned() } else { format!("{folder}/{path}") };
    let decor = value.decor().clone();
    *value = Value::from(path);
    *value.decor_mut() = decor;
}

fn is_relative(path: &str) -> bool {
    !path.starts_with('/')
}

/// Adds the variables that the app does not have.
fn variables(app: &mut DocumentMut, template: &DocumentMut) {
    let Some(found) = template.get("variables").and_then(Item::as_table_like) else { return };
    let own = app.entry("variables").or_insert_with(|| Item::Table(Table::new()));
    let Some(own) = own.as_table_like_mut() else { return };
    for (name, variable) in found.iter() {
        if !own.contains_key(name) {
            let mut variable = variable.clone();
            forget_position(&mut variable);
            own.insert(name, variable);
        }
    }
}

fn triggers(app: &mut DocumentMut, template: &DocumentMut, addition: &Addition<'_>) -> Result<(), Error> {
    let Some(found) = template.get("trigger").and_then(Item::as_table_like) else { return Ok(()) };
    let own = app.entry("trigger").or_insert_with(|| Item::Table(implicit()));
    let own = own.as_table_like_mut().ok_or_else(|| refused(MANIFEST, "`trigger` is no table"))?;
    for (kind, list) in found.iter() {
        let Some(list) = list.as_array_of_tables() else { continue };
        let mut route = addition.route;
        let place = own.entry(kind).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        for table in list.iter() {
            let mut item = Item::Table(table.clone());
            forget_position(&mut item);
            let Item::Table(mut table) = item else { continue };
            set_apart(&mut table);
            if kind == "http" {
                reroute(&mut table, addition.name, route.take());
            }
            match place {
                Item::ArrayOfTables(list) => list.push(table),
                Item::Value(Value::Array(list)) => list.push(table.into_inline_table()),
                _ => return Err(refused(MANIFEST, format!("`trigger.{kind}` is no list"))),
            }
        }
    }
    Ok(())
}

/// Moves a route below the component's name, or to where the user wants it.
fn reroute(trigger: &mut Table, name: &str, wanted: Option<&str>) {
    let Some(route) = trigger.get("route").and_then(Item::as_str) else { return };
    let route = wanted.map_or_else(|| format!("/{name}{route}"), str::to_owned);
    trigger.insert("route", toml_edit::value(route));
}

/// Forgets where a table stood in its own file: it comes after what it is put behind.
fn forget_position(item: &mut Item) {
    match item {
        Item::Table(table) => {
            table.set_position(None);
            table.iter_mut().for_each(|(_, item)| forget_position(item));
        }
        Item::ArrayOfTables(list) => {
            for table in list.iter_mut() {
                table.set_position(None);
                table.iter_mut().for_each(|(_, item)| forget_position(item));
            }
        }
        _ => {}
    }
}

/// Puts an empty line before a table, whatever else stands there.
fn set_apart(table: &mut Table) {
    let before = table.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default().trim_start_matches('\n');
    let before = format!("\n{before}");
    table.decor_mut().set_prefix(before);
}

fn implicit() -> Table {
    let mut table = Table::new();
    table.set_implicit(true);
    table
}

/// Moves a file below the folder; tests stay with the manifest, under the component's name.
fn moved(file: Rendered, addition: &Addition<'_>) -> Rendered {
    let Addition { name, folder, .. } = addition;
    let Some(test) = file.path.strip_prefix(TESTS).filter(|test| test.ends_with(".toml")) else {
        return Rendered { path: format!("{folder}/{}", file.path), ..file };
    };
    let path = format!("{TESTS}{name}-{test}");
    let text = std::str::from_utf8(&file.bytes).ok().and_then(|text| rerouted_tests(text, addition));
    let bytes = text.map_or(file.bytes, String::into_bytes);
    Rendered { path, bytes, executable: false }
}

/// Returns tests whose requests go to where the component is, and whose calls name it.
fn rerouted_tests(text: &str, addition: &Addition<'_>) -> Option<String> {
    let mut tests: DocumentMut = text.parse().ok()?;
    let prefix = match addition.route {
        // `/a/...` answers `/a/` and all below it.
        Some(route) => route.trim_end_matches("...").trim_end_matches('/').to_owned(),
        None => format!("/{}", addition.name),
    };
    for test in tests.get_mut("test")?.as_array_of_tables_mut()?.iter_mut() {
        let path =
            test.get_mut("request").and_then(Item::as_table_like_mut).and_then(|request| request.get_mut("path"));
        if let Some(Item::Value(path)) = path
            && let Some(text) = path.as_str()
        {
            let decor = path.decor().clone();
            *path = Value::from(format!("{prefix}{text}"));
            *path.decor_mut() = decor;
        }
        if (test.contains_key("call") || test.contains_key("run")) && !test.contains_key("component") {
            test.insert("component", toml_edit::value(addition.name));
        }
    }
    Some(tests.to_string())
}

#[cfg(test)]
mod tests;
