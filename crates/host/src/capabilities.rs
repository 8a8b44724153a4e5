//! What one component may touch of each capability: made at load, shared by all its instances, lent to adapters for one call.
//!
//! In: grants, bound by `node`. Out: a view for each adapter. Next: `capabilities/*`.

use crate::ctx::{Lent, Member};
use crate::{Ctx, Recipe, Sockets};
use std::sync::Arc;
use wasmtime::component::Linker;
use wharf_kit::{Counts, Granted, Names, Tally, Who};
use wharf_secrets::Allowed;

/// What one component may touch.
#[derive(Clone)]
pub struct Capabilities {
    /// Key-value stores.
    pub keyvalue: Arc<Granted<dyn wharf_keyvalue::Store>>,
    /// SQL databases.
    pub sql: Arc<Granted<dyn wharf_sql::Database>>,
    /// Blob stores.
    pub blobstore: Arc<Granted<dyn wharf_blobstore::Store>>,
    /// Where messages may be sent.
    pub messaging: Arc<Granted<dyn wharf_messaging::Messenger>>,
    /// Configuration.
    pub config: Arc<wharf_config::Values>,
    /// Secrets.
    pub secrets: Arc<Allowed>,
}

impl Capabilities {
    /// Returns those of a component that may touch nothing.
    pub fn none(who: &Who) -> Self {
        Self {
            keyvalue: Arc::new(Granted::none(wharf_keyvalue::CAPABILITY, who.clone())),
            sql: Arc::new(Granted::none(wharf_sql::CAPABILITY, who.clone())),
            blobstore: Arc::new(Granted::none(wharf_blobstore::CAPABILITY, who.clone())),
            messaging: Arc::new(Granted::none(wharf_messaging::CAPABILITY, who.clone())),
            config: Arc::new(wharf_config::Values::new(std::collections::BTreeMap::new(), Arc::default())),
            secrets: Arc::new(Allowed::none(who.clone())),
        }
    }

    /// Returns a line for people for each label: what it is and where it is bound.
    pub fn describe(&self) -> Vec<String> {
        let labels =
            [self.keyvalue.describe(), self.sql.describe(), self.blobstore.describe(), self.messaging.describe()];
        let mut lines = labels.concat();
        lines.extend(self.config.keys().map(|key| format!("config {key}")));
        lines.extend(self.secrets.describe());
        lines
    }
}

/// What one store did with each capability, and holds for it.
#[derive(Default)]
pub(crate) struct Used {
    keyvalue: Tally,
    sql: Tally,
    blobstore: Tally,
    messaging: Tally,
    config: Tally,
    secrets: Tally,
    messages: wharf_messaging::Held,
}

impl Member {
    /// Returns what the member has done so far with each capability that it used.
    pub(crate) fn usage(&self) -> impl Iterator<Item = (&'static str, Counts)> {
        let used = &self.used;
        let all = [
            (wharf_keyvalue::CAPABILITY, used.keyvalue.counts()),
            (wharf_sql::CAPABILITY, used.sql.counts()),
            (wharf_blobstore::CAPABILITY, used.blobstore.counts()),
            (wharf_messaging::CAPABILITY, used.messaging.counts()),
            (wharf_config::CAPABILITY, used.config.counts()),
            (wharf_secrets::CAPABILITY, used.secrets.counts()),
            (wharf_http::CAPABILITY, self.hooks.counts()),
            (Sockets::CAPABILITY, self.socket_counts()),
        ];
        all.into_iter().filter(|(_, counts)| counts.calls > 0)
    }
}

impl Drop for Ctx {
    /// With `-v`, an invocation says what it used when it is over. However it ended: this is where every store goes.
    fn drop(&mut self) {
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let request = self.request().map(tracing::field::display);
        for member in self.members() {
            let Recipe { app, component, .. } = &*member.recipe;
            for (capability, Counts { calls, errors, denied, sent_bytes, received_bytes, nanos }) in member.usage() {
                let micros = nanos / 1000;
                tracing::debug!(
                    %app, %component, request, capability, calls, errors, denied, sent_bytes, received_bytes, micros,
                    "used a capability"
                );
            }
        }
    }
}

/// Links the adapters of all capabilities for the outermost component, which is member 0, or for another one.
pub(crate) fn add_to_linker<const MEMBER: u8>(linker: &mut Linker<Ctx>, names: Names) -> wasmtime::Result<()> {
    wharf_keyvalue::add_to_linker(linker, names, |ctx: &mut Ctx| {
        let Lent { member, table, .. } = ctx.lend(MEMBER);
        wharf_keyvalue::View { granted: &member.recipe.capabilities.keyvalue, tally: &mut member.used.keyvalue, table }
    })?;
    wharf_sql::add_to_linker(linker, names, |ctx: &mut Ctx| {
        let Lent { member, table, .. } = ctx.lend(MEMBER);
        wharf_sql::View { granted: &member.recipe.capabilities.sql, tally: &mut member.used.sql, table }
    })?;
    wharf_blobstore::add_to_linker(linker, names, |ctx: &mut Ctx| {
        let Lent { member, table, .. } = ctx.lend(MEMBER);
        wharf_blobstore::View {
            granted: &member.recipe.capabilities.blobstore,
            tally: &mut member.used.blobstore,
            table,
        }
    })?;
    wharf_messaging::add_to_linker(linker, names, |ctx: &mut Ctx| {
        let Lent { member, table, .. } = ctx.lend(MEMBER);
        let Used { messaging, messages, .. } = &mut member.used;
        wharf_messaging::View {
            granted: &member.recipe.capabilities.messaging,
            tally: messaging,
            table,
            held: messages,
        }
    })?;
    wharf_config::add_to_linker(linker, names, |ctx: &mut Ctx| {
        let Lent { member, .. } = ctx.lend(MEMBER);
        wharf_config::View { values: &member.recipe.capabilities.config, tally: &mut member.used.config }
    })?;
    wharf_secrets::add_to_linker(linker, names, |ctx: &mut Ctx| {
        let Lent { member, table, .. } = ctx.lend(MEMBER);
        wharf_secrets::View { allowed: &member.recipe.capabilities.secrets, tally: &mut member.used.secrets, table }
    })
}
