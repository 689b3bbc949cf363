//! `zoneproof webhooks`: where events are posted to, and what was given up.

use jiff::Timestamp;

use super::args::WebhooksCommand;
use super::open;
use super::worker::policy;
use crate::cli::failure::Failure;
use crate::cli::{NOT_POSSIBLE, WELL, console};
use crate::service::webhooks::signature::Secret;
use crate::service::webhooks::target::Target;
use crate::store::{DeliveryFilter, DeliveryId, DeliveryState, Endpoint, EndpointId, EventKind, Store};

/// How many deliveries are read at a time.
const PAGE: u32 = 500;

/// Does what was typed.
pub(in crate::cli) async fn run(command: WebhooksCommand) -> Result<u8, Failure> {
    match command {
        WebhooksCommand::Add { database, url, tenant, kinds, allow_special_addresses } => {
            let target = Target::parse(&url, policy(allow_special_addresses))
                .map_err(|source| Failure::Target { url: url.clone(), source })?;
            let store = open(&database.database).await?;
            let secret = Secret::generate();
            let endpoint = Endpoint {
                id: EndpointId::random(),
                url: target.uri().to_string(),
                secret: secret.reveal(),
                tenant,
                kinds,
                is_enabled: true,
                created_at: store.now().await?,
            };
            store.put_endpoint(&endpoint).await?;
            console::print(&format!("{}\nsecret {}\n", line(&endpoint), endpoint.secret))?;
            Ok(WELL)
        }
        WebhooksCommand::List { database } => {
            let endpoints = open(&database.database).await?.endpoints().await?;
            let lines: String = endpoints.iter().map(|endpoint| line(endpoint) + "\n").collect();
            console::print(&lines)?;
            Ok(WELL)
        }
        WebhooksCommand::Remove { database, id } => {
            let was_there = open(&database.database).await?.remove_endpoint(&EndpointId::from_text(&id)).await?;
            if was_there {
                return Ok(WELL);
            }
            console::note(&format!("error: there is no webhook {id}; `zoneproof webhooks list` shows them"));
            Ok(NOT_POSSIBLE)
        }
        WebhooksCommand::Dead { database } => list_dead(open(&database.database).await?.as_ref()).await,
        WebhooksCommand::Replay { database, endpoint, delivery } => {
            let filter = DeliveryFilter {
                state: Some(DeliveryState::Dead),
                endpoint: endpoint.map(EndpointId::from_text),
                id: delivery.map(DeliveryId::from_text),
            };
            let count = open(&database.database).await?.replay(&filter).await?;
            console::print(&format!("{count} messages are posted again\n"))?;
            Ok(WELL)
        }
    }
}

/// Describes an endpoint in one line; its secret is not shown again.
fn line(endpoint: &Endpoint) -> String {
    let tenant = endpoint.tenant.as_ref().map(|tenant| format!(" tenant {tenant}")).unwrap_or_default();
    let kinds: Vec<&str> = endpoint.kinds.iter().copied().map(EventKind::as_str).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" on {}", kinds.join(",")) };
    let off = if endpoint.is_enabled { "" } else { " (off: it wanted no more)" };
    format!("{} {}{tenant}{kinds}{off}", endpoint.id, endpoint.url)
}

/// Lists what was given up, a line each.
async fn list_dead(store: &dyn Store) -> Result<u8, Failure> {
    let filter = DeliveryFilter { state: Some(DeliveryState::Dead), ..DeliveryFilter::default() };
    let mut after: Option<DeliveryId> = None;
    loop {
        let page = store.deliveries(&filter, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(WELL) };
        after = Some(last.id.clone());
        for delivery in &page {
            let event = &delivery.event;
            let error = delivery.last_error.as_deref().unwrap_or("given up");
            let at: Timestamp = event.at;
            let told = format!(
                "{} {at} {} {} to {}: {error} ({} attempts)\n",
                delivery.id,
                event.name,
                event.kind.as_str(),
                delivery.endpoint.url,
                delivery.attempts
            );
            if !console::print(&crate::cli::style::printable(&told))? {
                return Ok(WELL);
            }
        }
    }
}
