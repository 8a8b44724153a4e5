//! What an element is, and how large it is in a guest's memory.

/// A type of the Component Model, without resources: these are types of one component, which no other one can name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A type that is known by a word: `bool`, `u8` and the other numbers, `char`, `string`.
    Simple(Simple),
    /// Any number of elements.
    List(Box<Shape>),
    /// A number of elements.
    Fixed(Box<Shape>, u32),
    /// Keys and values.
    Map(Box<Shape>, Box<Shape>),
    /// Fields with names.
    Record(Vec<(String, Shape)>),
    /// Fields without.
    Tuple(Vec<Shape>),
    /// Cases with names.
    Variant(Vec<(String, Option<Shape>)>),
    /// Cases without payloads.
    Enum(Vec<String>),
    /// Names that are there or not.
    Flags(Vec<String>),
    /// Something or nothing.
    Option(Box<Shape>),
    /// One or the other.
    Result(Option<Box<Shape>>, Option<Box<Shape>>),
    /// The readable end of a stream.
    Stream(Option<Box<Shape>>),
    /// The readable end of a future.
    Future(Option<Box<Shape>>),
}

/// A type that is known by a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the words of the Component Model")]
pub enum Simple {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    Char,
    String,
}

/// How much memory a value takes, and where it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) size: u32,
    pub(crate) align: u32,
}

impl Layout {
    const NOTHING: Self = Self { size: 0, align: 1 };
    /// A place in memory, and a length.
    const REFERENCE: Self = Self { size: 8, align: 4 };

    const fn number(size: u32) -> Self {
        Self { size, align: size }
    }

    /// Returns the layout of one after the other.
    fn all(parts: impl Iterator<Item = Self>) -> Self {
        let whole = parts.fold(Self::NOTHING, |before, part| Self {
            size: up(before.size, part.align).saturating_add(part.size),
            align: before.align.max(part.align),
        });
        Self { size: up(whole.size, whole.align), align: whole.align }
    }

    /// Returns the layout of one or the other, with a number before it that says which.
    fn either(count: usize, parts: impl Iterator<Item = Self>) -> Self {
        let payload = parts.fold(Self::NOTHING, |before, part| Self {
            size: before.size.max(part.size),
            align: before.align.max(part.align),
        });
        Self::all([which(count), payload].into_iter())
    }
}

/// Returns the layout of the number that says which of so many cases it is.
fn which(count: usize) -> Layout {
    Layout::number(match count {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    })
}

fn up(size: u32, align: u32) -> u32 {
    size.checked_next_multiple_of(align).unwrap_or(u32::MAX)
}

impl Shape {
    /// Tells whether there are ends of streams or futures in a value.
    pub fn has_flows(&self) -> bool {
        match self {
            Self::Stream(_) | Self::Future(_) => true,
            Self::Simple(_) | Self::Enum(_) | Self::Flags(_) => false,
            Self::List(part) | Self::Fixed(part, _) | Self::Option(part) => part.has_flows(),
            Self::Map(key, value) => key.has_flows() || value.has_flows(),
            Self::Record(fields) => fields.iter().any(|(_, field)| field.has_flows()),
            Self::Tuple(fields) => fields.iter().any(Self::has_flows),
            Self::Variant(cases) => cases.iter().filter_map(|(_, case)| case.as_ref()).any(Self::has_flows),
            Self::Result(ok, err) => [ok, err].into_iter().flatten().any(|part| part.has_flows()),
        }
    }

    /// Tells whether a value refers to nothing outside of its own bytes.
    pub fn is_flat(&self) -> bool {
        match self {
            Self::Simple(simple) => *simple != Simple::String,
            Self::List(_) | Self::Map(..) | Self::Stream(_) | Self::Future(_) => false,
            Self::Fixed(element, _) | Self::Option(element) => element.is_flat(),
            Self::Record(fields) => fields.iter().all(|(_, field)| field.is_flat()),
            Self::Tuple(fields) => fields.iter().all(Self::is_flat),
            Self::Variant(cases) => cases.iter().filter_map(|(_, case)| case.as_ref()).all(Self::is_flat),
            Self::Enum(_) | Self::Flags(_) => true,
            Self::Result(ok, err) => [ok, err].into_iter().flatten().all(|part| part.is_flat()),
        }
    }

    pub(crate) fn layout(&self) -> Layout {
        match self {
            Self::Simple(simple) => match simple {
                Simple::Bool | Simple::S8 | Simple::U8 => Layout::number(1),
                Simple::S16 | Simple::U16 => Layout::number(2),
                Simple::S32 | Simple::U32 | Simple::F32 | Simple::Char => Layout::number(4),
                Simple::S64 | Simple::U64 | Simple::F64 => Layout::number(8),
                Simple::String => Layout::REFERENCE,
            },
            Self::List(_) | Self::Map(..) => Layout::REFERENCE,
            Self::Stream(_) | Self::Future(_) => Layout::number(4),
            Self::Fixed(element, count) => {
                let Layout { size, align } = element.layout();
                Layout { size: size.saturating_mul(*count), align }
            }
            Self::Record(fields) => Layout::all(fields.iter().map(|(_, field)| field.layout())),
            Self::Tuple(fields) => Layout::all(fields.iter().map(Self::layout)),
            Self::Variant(cases) => {
                Layout::either(cases.len(), cases.iter().filter_map(|(_, case)| case.as_ref()).map(Self::layout))
            }
            Self::Enum(names) => which(names.len()),
            Self::Flags(names) => Layout::number(match names.len() {
                0..=8 => 1,
                9..=16 => 2,
                _ => 4,
            }),
            Self::Option(some) => Layout::either(2, std::iter::once(some.layout())),
            Self::Result(ok, err) => Layout::either(2, [ok, err].into_iter().flatten().map(|part| part.layout())),
        }
    }
}
