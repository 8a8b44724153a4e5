//! Copying and moving: within one store the backend does it, between two the bytes go through the node.

use super::{Container, Failure, View, wit};
use crate::api::{ByteRange, ObjectId};
use std::sync::Arc;
use wharf_kit::Refused;

impl View<'_> {
    pub(super) async fn copy(&mut self, from: &wit::types::ObjectId, to: &wit::types::ObjectId) -> Result<(), Failure> {
        let (from, from_id) = self.named(from)?;
        let (to, to_id) = self.named(to)?;
        self.check_write(&to)?;
        if is_one_store(&from, &to) {
            self.check_copy(&to, &from_id).await?;
            return self.call(&to.label, "copy-object", to.label.store.copy(&from_id, &to_id)).await;
        }
        self.carry(&from, &from_id, &to, &to_id).await
    }

    pub(super) async fn rename(
        &mut self,
        from: &wit::types::ObjectId,
        to: &wit::types::ObjectId,
    ) -> Result<(), Failure> {
        let (from, from_id) = self.named(from)?;
        let (to, to_id) = self.named(to)?;
        self.check_write(&from)?;
        self.check_write(&to)?;
        if is_one_store(&from, &to) {
            self.check_copy(&to, &from_id).await?;
            return self.call(&to.label, "move-object", to.label.store.rename(&from_id, &to_id)).await;
        }
        self.carry(&from, &from_id, &to, &to_id).await?;
        let names = std::slice::from_ref(&from_id.name);
        self.call(&from.label, "delete-objects", from.label.store.delete(&from_id.container, names)).await
    }

    fn named(&mut self, id: &wit::types::ObjectId) -> Result<(Container, ObjectId), Failure> {
        let container = self.locate(&id.container)?;
        let id = container.object(&id.object)?;
        Ok((container, id))
    }

    /// Holds a copy to the size that an object may have.
    async fn check_copy(&mut self, to: &Container, from: &ObjectId) -> Result<(), Failure> {
        let info = self.call(&to.label, "object-info", to.label.store.info(from)).await?;
        Ok(check_size(to, info.size_bytes)?)
    }

    async fn carry(
        &mut self,
        from: &Container,
        from_id: &ObjectId,
        to: &Container,
        to_id: &ObjectId,
    ) -> Result<(), Failure> {
        let _held = (from.label.gate.hold().await?, to.label.gate.hold().await?);
        let mut download = self.call(&from.label, "get-data", from.label.store.read(from_id, ByteRange::ALL)).await?;
        check_size(to, download.size_bytes())?;
        let mut upload = self.call(&to.label, "write-data", to.label.store.write(to_id)).await?;
        while let Some(piece) = self.call(&from.label, "get-data", download.read()).await? {
            self.call(&to.label, "write-data", upload.write(piece)).await?;
        }
        self.call(&to.label, "write-data", upload.finish()).await
    }
}

fn is_one_store(one: &Container, other: &Container) -> bool {
    Arc::ptr_eq(&one.label.store, &other.label.store)
}

fn check_size(to: &Container, size_bytes: u64) -> Result<(), Refused> {
    to.label.gate.check_size(usize::try_from(size_bytes).unwrap_or(usize::MAX))
}
