//! Names of containers and objects, as guests choose them: any text within a length. Each backend makes something safe of it.

use super::Error;
use std::fmt;
use std::sync::Arc;

/// The longest name of an object in bytes: what S3 allows for a key.
pub const NAME_LEN_MAX: usize = 1024;

/// The longest name of a container within a label, in bytes. It is a part of each key, and must leave room for objects' names.
pub const CONTAINER_LEN_MAX: usize = 255;

/// The name of a container within a label; that of the label's own container is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerName(Arc<str>);

/// The name of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(Arc<str>);

/// An object of a namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// Its container.
    pub container: ContainerName,
    /// Its name.
    pub name: ObjectName,
}

impl ContainerName {
    /// Returns the name of the label's own container.
    pub fn root() -> Self {
        Self("".into())
    }

    /// Returns the name of a container within a label.
    ///
    /// # Errors
    /// When it is empty or too long.
    pub fn new(name: &str) -> Result<Self, Error> {
        check("container", name, CONTAINER_LEN_MAX)?;
        Ok(Self(name.into()))
    }

    /// Tells whether it is the label's own container.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ObjectName {
    /// Returns the name of an object.
    ///
    /// # Errors
    /// When it is empty or too long.
    pub fn new(name: &str) -> Result<Self, Error> {
        check("object", name, NAME_LEN_MAX)?;
        Ok(Self(name.into()))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check(what: &'static str, name: &str, max: usize) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::Name { what, why: "is empty" });
    }
    if name.len() > max {
        return Err(Error::Name { what, why: "is too long" });
    }
    Ok(())
}

impl fmt::Display for ContainerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_any_text_within_its_length() {
        for name in ["a", "..", "a/../b", "\0", "Ä", &"x".repeat(NAME_LEN_MAX)] {
            assert!(ObjectName::new(name).is_ok(), "{name:?}");
        }
        assert!(ObjectName::new("").is_err());
        assert!(ObjectName::new(&"x".repeat(NAME_LEN_MAX + 1)).is_err());
        assert!(ContainerName::new("").is_err());
        assert!(ContainerName::new(&"x".repeat(CONTAINER_LEN_MAX + 1)).is_err());
        assert!(ContainerName::root().is_root());
    }
}
