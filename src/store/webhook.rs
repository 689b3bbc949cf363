//! Webhook endpoints, and the deliveries that an event owes them.
//!
//! A delivery is written in the transaction of its event, so that none is owed without its event and no event goes
//! without its deliveries. A delivery is leased by the database's clock while it is tried; what a sender reports
//! after its lease went to another changes nothing.

use jiff::Timestamp;

use super::{DeliveryId, EndpointId, Event, EventKind};

/// Where events are posted to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// The address.
    pub url: String,
    /// The secret that signs what is posted, in the form of Standard Webhooks (`whsec_...`).
    pub secret: String,
    /// Only events of this tenant; `None` for all.
    pub tenant: Option<String>,
    /// Only these kinds; empty for all.
    pub kinds: Vec<EventKind>,
    /// Whether new events are posted to it.
    pub is_enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeliveryState {
    /// It is still owed.
    Pending,
    /// The endpoint took it.
    Delivered,
    /// It was given up; it can be replayed.
    Dead,
}

impl DeliveryState {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Pending, Self::Delivered, Self::Dead];

    /// Returns its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

/// One event on its way to one endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Its id, the same over all tries.
    pub id: DeliveryId,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The event.
    pub event: Event,
    /// How it stands.
    pub state: DeliveryState,
    /// How often it was tried, this time included where it was just leased.
    pub attempts: u32,
    /// When it is tried next.
    pub next_at: Timestamp,
    /// Why the last try did not work.
    pub last_error: Option<String>,
}

/// What came of a try.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DeliveryEnd {
    /// The endpoint took it.
    Delivered,
    /// It is to be tried again.
    Retry {
        /// When.
        at: Timestamp,
        /// Why it did not work.
        error: String,
    },
    /// It is given up.
    Dead {
        /// Why.
        error: String,
    },
}

/// Which deliveries to list or replay; the default is all.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DeliveryFilter {
    /// Only these.
    pub state: Option<DeliveryState>,
    /// Only to this endpoint.
    pub endpoint: Option<EndpointId>,
    /// Only this one.
    pub id: Option<DeliveryId>,
}
