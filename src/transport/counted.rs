//! Counts what is sent and what comes of it.

use super::{Exchange, Query};
use crate::evidence::{Protocol, Silence};
use crate::metrics::{Event, Metrics};

/// Counts one datagram or one connection, and its end.
pub(super) fn count(metrics: &Metrics, query: &Query, exchange: &Exchange) {
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
        Err(Silence::Limit) if query.budget.is_exhausted() => (false, Event::BudgetHits),
        Err(Silence::Limit) => (false, Event::PutOff),
    };
    if was_sent {
        metrics.count(if is_udp { Event::DatagramsSent } else { Event::ConnectionsTried });
    }
    metrics.count(event);
}
