//! Writes a shape down as types of a component.

use crate::shape::{Shape, Simple};
use std::fmt::Write as _;

/// Returns the definitions that a shape needs, and what it is called after them.
///
/// Types with names of their own have to be imported by a name to be used in a function. Which name that is says nothing: whoever
/// instantiates the component compares what the types are made of.
pub(crate) fn spell(shape: &Shape) -> (String, String) {
    let mut speller = Speller::default();
    let name = speller.name(shape);
    (speller.text, name)
}

#[derive(Default)]
struct Speller {
    text: String,
    count: usize,
}

impl Speller {
    fn name(&mut self, shape: &Shape) -> String {
        let (body, is_named) = match shape {
            Shape::Simple(simple) => return word(*simple).to_owned(),
            Shape::List(element) => (format!("(list {})", self.name(element)), false),
            Shape::Fixed(element, count) => (format!("(list {} {count})", self.name(element)), false),
            Shape::Map(key, value) => (format!("(map {} {})", self.name(key), self.name(value)), false),
            Shape::Tuple(fields) => {
                let fields: Vec<String> = fields.iter().map(|field| self.name(field)).collect();
                (format!("(tuple {})", fields.join(" ")), false)
            }
            Shape::Option(some) => (format!("(option {})", self.name(some)), false),
            Shape::Result(ok, err) => {
                let ok = ok.as_ref().map_or_else(String::new, |ok| self.name(ok));
                let err = err.as_ref().map_or_else(String::new, |err| format!("(error {})", self.name(err)));
                (format!("(result {ok} {err})"), false)
            }
            Shape::Stream(element) | Shape::Future(element) => {
                let kind = if matches!(shape, Shape::Stream(_)) { "stream" } else { "future" };
                let element = element.as_ref().map_or_else(String::new, |element| self.name(element));
                (format!("({kind} {element})"), false)
            }
            Shape::Record(fields) => {
                let field = |(name, field): &(String, Shape)| format!("(field \"{name}\" {})", self.name(field));
                (format!("(record {})", fields.iter().map(field).collect::<String>()), true)
            }
            Shape::Variant(cases) => {
                let case = |(name, payload): &(String, Option<Shape>)| {
                    let payload = payload.as_ref().map_or_else(String::new, |payload| self.name(payload));
                    format!("(case \"{name}\" {payload})")
                };
                (format!("(variant {})", cases.iter().map(case).collect::<String>()), true)
            }
            Shape::Enum(names) => (format!("(enum {})", quoted(names)), true),
            Shape::Flags(names) => (format!("(flags {})", quoted(names)), true),
        };
        self.define(&body, is_named)
    }

    fn define(&mut self, body: &str, is_named: bool) -> String {
        self.count += 1;
        let number = self.count;
        // Writing to a string cannot fail.
        let _ = if is_named {
            writeln!(self.text, "(type $d{number} {body})\n(import \"t{number}\" (type $t{number} (eq $d{number})))")
        } else {
            writeln!(self.text, "(type $t{number} {body})")
        };
        format!("$t{number}")
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("\"{name}\" ")).collect()
}

fn word(simple: Simple) -> &'static str {
    match simple {
        Simple::Bool => "bool",
        Simple::S8 => "s8",
        Simple::U8 => "u8",
        Simple::S16 => "s16",
        Simple::U16 => "u16",
        Simple::S32 => "s32",
        Simple::U32 => "u32",
        Simple::S64 => "s64",
        Simple::U64 => "u64",
        Simple::F32 => "f32",
        Simple::F64 => "f64",
        Simple::Char => "char",
        Simple::String => "string",
    }
}
