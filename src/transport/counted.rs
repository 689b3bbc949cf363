//! Counts what is sent and what comes of it.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Exchange, Query, Transport};
use crate::evidence::{Protocol, Silence};
use crate::metrics::{Event, Metrics};

/// A transport that sends one datagram, or makes one connection, for a query, and whose work is counted.
pub struct Counted<T> {
    /// The transport.
    inner: T,
    /// The counters.
    metrics: Arc<Metrics>,
}

impl<T: Transport> Counted<T> {
    /// Puts counters behind a transport.
    pub fn new(inner: T, metrics: Arc<Metrics>) -> Self {
        Self { inner, metrics }
    }

    /// Asks and counts.
    async fn ask(&self, query: &Query) -> Exchange {
        let exchange = self.inner.exchange(query).await;
        let is_udp = query.protocol == Protocol::Udp;
        let (was_sent, event) = match &exchange.outcome {
            Ok(_) => (true, Event::Replies),
            Err(Silence::Timeout) => (true, Event::Timeouts),
            Err(Silence::Refused) => (true, Event::Refusals),
            Err(Silence::Malformed) => (true, Event::Malformed),
            Err(Silence::Mismatched) if is_udp => (true, Event::NearMisses),
            Err(Silence::Mismatched) => (true, Event::MismatchesOverTcp),
            Err(Silence::NoRoute) => (false, Event::NoRoute),
            Err(Silence::Forbidden) => (false, Event::ForbiddenAddresses),
            Err(Silence::Limit) => (false, Event::BudgetHits),
        };
        if was_sent {
            self.metrics.count(if is_udp { Event::DatagramsSent } else { Event::ConnectionsTried });
        }
        self.metrics.count(event);
        exchange
    }
}

impl<T: Transport> Transport for Counted<T> {
    fn exchange<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Exchange> {
        self.ask(query).boxed()
    }
}
