//! Keys of objects and containers: whatever a guest calls them, they stay within the namespace.

use super::name::{encode, encode_segment};
use crate::api::{ContainerName, Error, ObjectId};
use object_store::path::Path;
use wharf_kit::Namespace;

/// The longest key of S3, in bytes.
const KEY_LEN_MAX: usize = 1024;

/// The key of a namespace, in front of all others; with what the operator puts in front of it.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    base: String,
}

impl Keys {
    /// Returns the keys of a namespace. No app is called `_shared`.
    pub(super) fn new(prefix: &str, namespace: &Namespace) -> Self {
        let prefix = prefix.trim_matches('/');
        let separator = if prefix.is_empty() { "" } else { "/" };
        let app = namespace.app().unwrap_or("_shared");
        Self { base: format!("{prefix}{separator}{app}/{}", namespace.name()) }
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Returns the key below which the objects of a container are.
    pub(super) fn container(&self, name: &ContainerName) -> Result<Path, Error> {
        let base = &self.base;
        let key =
            if name.is_root() { format!("{base}/own") } else { format!("{base}/in/{}", encode_segment(name.as_str())) };
        path(key, "container")
    }

    /// Returns the key of the empty object that says that a container is there.
    pub(super) fn marker(&self, name: &ContainerName) -> Result<Path, Error> {
        path(format!("{}/containers/{}", self.base, encode_segment(name.as_str())), "container")
    }

    pub(super) fn object(&self, id: &ObjectId) -> Result<Path, Error> {
        let container = self.container(&id.container)?;
        path(format!("{container}/{}", encode(id.name.as_str())), "object")
    }
}

fn path(key: String, what: &'static str) -> Result<Path, Error> {
    if key.len() > KEY_LEN_MAX {
        return Err(Error::Name { what, why: "is too long for the backend" });
    }
    // No segment is empty, `.` or `..`, and none has a control character.
    Path::parse(key).map_err(|_| Error::Name { what, why: "cannot be a key of the backend" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ObjectName;

    #[test]
    fn every_name_stays_within_its_container() {
        let keys = Keys::new("/wharf/", &Namespace::own("shop", "files"));
        for container in ["..", "../../other", "a/b", "/"] {
            let container = ContainerName::new(container).unwrap();
            for name in ["..", "../x", "/../../x", "a/../../../b"] {
                let id = ObjectId { container: container.clone(), name: ObjectName::new(name).unwrap() };
                let key = keys.object(&id).unwrap().to_string();
                assert!(key.starts_with("wharf/shop/files/in/"), "{key}");
                assert!(key.split('/').all(|part| !["", ".", ".."].contains(&part)), "{key}");
            }
            assert_eq!(keys.marker(&container).unwrap().to_string().matches('/').count(), 4);
        }
        assert_eq!(Keys::new("", &Namespace::shared("files")).base(), "_shared/files");
    }

    #[test]
    fn a_key_that_s3_cannot_have_is_refused() {
        let keys = Keys::new("", &Namespace::own("a", "b"));
        let id = |name: &str| ObjectId { container: ContainerName::root(), name: ObjectName::new(name).unwrap() };
        assert!(keys.object(&id(&"x".repeat(1000))).is_ok());
        assert!(matches!(keys.object(&id(&"\0".repeat(400))), Err(Error::Name { .. })));
    }
}
