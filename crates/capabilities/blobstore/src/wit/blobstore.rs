//! `wasi:blobstore/blobstore`: containers, and what goes from one to another.

use super::{Answer, Container, Failure, View, wit};
use crate::api::Error;
use wasmtime::component::Resource;
use wit::types::ObjectId;

impl wit::blobstore::Host for View<'_> {
    async fn create_container(&mut self, name: String) -> Answer<Resource<Container>> {
        let created = self.create(&name).await;
        self.answer(created)
    }

    async fn get_container(&mut self, name: String) -> Answer<Resource<Container>> {
        let found = self.find(&name).await;
        self.answer(found)
    }

    async fn delete_container(&mut self, name: String) -> Answer<()> {
        let removed = self.remove(&name).await;
        self.answer(removed)
    }

    async fn container_exists(&mut self, name: String) -> Answer<bool> {
        let found = match self.check(&name).await {
            Ok(_) => Ok(true),
            Err(Failure::Call(Error::NoContainer)) => Ok(false),
            Err(failure) => Err(failure),
        };
        self.answer(found)
    }

    async fn copy_object(&mut self, from: ObjectId, to: ObjectId) -> Answer<()> {
        let copied = self.copy(&from, &to).await;
        self.answer(copied)
    }

    async fn move_object(&mut self, from: ObjectId, to: ObjectId) -> Answer<()> {
        let moved = self.rename(&from, &to).await;
        self.answer(moved)
    }
}

impl View<'_> {
    async fn create(&mut self, name: &str) -> Result<Resource<Container>, Failure> {
        let container = self.locate(name)?;
        self.check_write(&container)?;
        let label = &container.label;
        if !container.name.is_root() {
            self.call(label, "create-container", label.store.create(&container.name)).await?;
        }
        Ok(self.table.push(container)?)
    }

    async fn find(&mut self, name: &str) -> Result<Resource<Container>, Failure> {
        let container = self.check(name).await?;
        Ok(self.table.push(container)?)
    }

    /// Returns a container that is there. That of a label is, without asking the backend.
    async fn check(&mut self, name: &str) -> Result<Container, Failure> {
        let container = self.locate(name)?;
        let label = &container.label;
        if !container.name.is_root() {
            self.call(label, "info", label.store.container(&container.name)).await?;
        }
        Ok(container)
    }

    async fn remove(&mut self, name: &str) -> Result<(), Failure> {
        let container = self.locate(name)?;
        self.check_write(&container)?;
        let label = &container.label;
        self.call(label, "delete-container", label.store.remove(&container.name)).await
    }
}
