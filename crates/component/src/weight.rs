//! How much text a binary stands for: a type that is written once can be the type of a thousand instances.
//!
//! Whoever writes the names of each instance out, as the decoder of WIT does, takes memory in proportion to this and not to
//! the file: a file of 500 kB can stand for gigabytes.

use wasmparser::component_types::{ComponentAnyTypeId, ComponentDefinedType, ComponentEntityType, ComponentItem};
use wasmparser::types::TypesRef;

/// What one name takes beside its bytes; without it, walking over many short ones would be free.
const NAME_BYTES: usize = 16;

/// Instances inside instances that are followed. Tools make one level or two; a chain of types has as many as the file has
/// room for, and each takes stack.
const DEPTH_MAX: usize = 100;

/// Weighs names until a limit; the walk ends there too.
pub(crate) struct Weight {
    left_bytes: usize,
    depth: usize,
}

impl Weight {
    pub(crate) fn limited_to(limit_bytes: usize) -> Weight {
        Weight { left_bytes: limit_bytes, depth: 0 }
    }

    /// Says whether what was added is heavier than the limit, or deeper than anything is.
    pub(crate) fn is_over(&self) -> bool {
        self.left_bytes == 0
    }

    /// Adds the names in the type of an import or export.
    pub(crate) fn add(&mut self, ty: &ComponentEntityType, types: TypesRef<'_>) {
        match ty {
            ComponentEntityType::Instance(id) => self.add_items(&types[*id].exports, types),
            ComponentEntityType::Component(id) => {
                self.add_items(&types[*id].imports, types);
                self.add_items(&types[*id].exports, types);
            }
            ComponentEntityType::Func(id) => self.add_names(types[*id].params.iter().map(|(name, _)| name.as_str())),
            ComponentEntityType::Type { referenced, .. } => self.add_type(*referenced, types),
            ComponentEntityType::Value(_) | ComponentEntityType::Module(_) => {}
        }
    }

    fn add_items<'t>(&mut self, items: impl IntoIterator<Item = (&'t String, &'t ComponentItem)>, types: TypesRef<'_>) {
        if self.depth == DEPTH_MAX {
            self.left_bytes = 0;
            return;
        }
        self.depth += 1;
        for (name, item) in items {
            self.add_names([name.as_str()]);
            if self.is_over() {
                break;
            }
            self.add(&item.ty, types);
        }
        self.depth -= 1;
    }

    /// Types inside a type are not followed: what has names has a name of its own, under which it is added too.
    fn add_type(&mut self, ty: ComponentAnyTypeId, types: TypesRef<'_>) {
        match ty {
            ComponentAnyTypeId::Resource(_) => {}
            ComponentAnyTypeId::Func(id) => self.add(&ComponentEntityType::Func(id), types),
            ComponentAnyTypeId::Instance(id) => self.add(&ComponentEntityType::Instance(id), types),
            ComponentAnyTypeId::Component(id) => self.add(&ComponentEntityType::Component(id), types),
            ComponentAnyTypeId::Defined(id) => match &types[id] {
                ComponentDefinedType::Record(record) => self.add_names(record.fields.keys().map(|name| name.as_str())),
                ComponentDefinedType::Variant(variant) => {
                    self.add_names(variant.cases.keys().map(|name| name.as_str()));
                }
                ComponentDefinedType::Flags(names) | ComponentDefinedType::Enum(names) => {
                    self.add_names(names.iter().map(|name| name.as_str()));
                }
                _ => {}
            },
        }
    }

    fn add_names<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        for name in names {
            self.left_bytes = self.left_bytes.saturating_sub(name.len() + NAME_BYTES);
            if self.is_over() {
                return;
            }
        }
    }
}
