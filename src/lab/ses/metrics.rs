//! How much was sent from each identity and what became of it, by day.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::account::{Account, folded, written};
use super::error::ApiError;
use super::wire::Seconds;

/// The most queries of one call (`BatchGetMetricDataQueries` of the service model).
const MAX_QUERIES: usize = 10;
/// The most days of one query. The model tells none; a year keeps a reply small.
const MAX_DAYS: usize = 366;
/// One point of a series.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The dimension that a series is told for.
const EMAIL_IDENTITY: &str = "EMAIL_IDENTITY";

/// What is counted: `Metric` of the service model.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Metric {
    /// Messages.
    Send,
    /// Complaints.
    Complaint,
    /// Permanent bounces.
    PermanentBounce,
    /// Transient bounces.
    TransientBounce,
    /// Messages that were opened; nobody does here.
    Open,
    /// Links that were followed; nobody does here.
    Click,
    /// Messages that arrived.
    Delivery,
    /// Messages that arrived and may tell that they are opened; none does here.
    DeliveryOpen,
    /// Messages that arrived with links that may tell; none does here.
    DeliveryClick,
    /// Messages that arrived where complaints are told.
    DeliveryComplaint,
}

/// The counts of a day: what, of which region and identity, which day since 1970.
type Counts = BTreeMap<(String, String, Metric, i64), u64>;

/// Everything counted so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Metrics {
    /// The counts.
    counts: Counts,
}

impl Metrics {
    /// Counts a message to one recipient; messages to several are not counted (`SEND` of the service model).
    pub(super) fn count(&mut self, region: &str, identity: &str, recipient: &str, now: Timestamp) {
        let day = day_of(now);
        for metric in outcome(recipient) {
            *self.counts.entry((region.to_owned(), identity.to_owned(), *metric, day)).or_default() += 1;
        }
    }

    /// Returns the count of a day; of all identities of the region, where none is told.
    fn of(&self, region: &str, identity: Option<&str>, metric: Metric, day: i64) -> u64 {
        let is_meant = |key: &(String, String, Metric, i64)| {
            key.0 == region && identity.is_none_or(|identity| key.1 == identity) && key.2 == metric && key.3 == day
        };
        self.counts.iter().filter(|(key, _)| is_meant(key)).map(|(_, count)| count).sum()
    }
}

/// Returns what becomes of a message to a recipient, as Amazon's mailbox simulator names them; all others take it.
fn outcome(recipient: &str) -> &'static [Metric] {
    match recipient.split(['@', '+']).next().unwrap_or_default() {
        "bounce" => &[Metric::Send, Metric::PermanentBounce],
        "ooto" => &[Metric::Send, Metric::Delivery, Metric::TransientBounce],
        "complaint" => &[Metric::Send, Metric::Delivery, Metric::DeliveryComplaint, Metric::Complaint],
        _ => &[Metric::Send, Metric::Delivery, Metric::DeliveryComplaint],
    }
}

/// `BatchGetMetricDataRequest`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MetricsInput {
    /// The queries.
    queries: Vec<Query>,
}

/// `BatchGetMetricDataQuery`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Query {
    /// What the caller calls it.
    id: String,
    /// Where the metric belongs.
    namespace: String,
    /// The metric.
    metric: Metric,
    /// Of what.
    #[serde(default)]
    dimensions: BTreeMap<String, String>,
    /// The first day.
    start_date: Seconds,
    /// The day behind the last.
    end_date: Seconds,
}

/// `MetricDataResult`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Series {
    /// What the caller called the query.
    id: String,
    /// The days.
    timestamps: Vec<Seconds>,
    /// The counts.
    values: Vec<u64>,
}

/// `MetricDataError`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct QueryError {
    /// What the caller called the query.
    id: String,
    /// What is wrong: `QueryErrorCode`.
    code: &'static str,
    /// The same in words.
    message: String,
}

/// `BatchGetMetricDataResponse`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct MetricsOutput {
    /// The series.
    results: Vec<Series>,
    /// The queries that have none.
    errors: Vec<QueryError>,
}

impl Account {
    /// Tells some series.
    pub(super) fn tell_metrics(&self, region: &str, input: MetricsInput) -> Result<Value, ApiError> {
        if input.queries.is_empty() || input.queries.len() > MAX_QUERIES {
            return Err(ApiError::BadRequest(format!("there may be 1 to {MAX_QUERIES} queries")));
        }
        let mut output = MetricsOutput { results: Vec::new(), errors: Vec::new() };
        for query in input.queries {
            let identity = query.dimensions.get(EMAIL_IDENTITY).map(|name| folded(name));
            let is_foreign = identity.as_ref().is_some_and(|name| self.identity(region, name).is_err());
            if is_foreign {
                let message = "the identity is not the caller's".to_owned();
                output.errors.push(QueryError { id: query.id, code: "ACCESS_DENIED", message });
                continue;
            }
            output.results.push(self.series(region, identity.as_deref(), query)?);
        }
        written(&output)
    }

    /// Puts one series together.
    fn series(&self, region: &str, identity: Option<&str>, query: Query) -> Result<Series, ApiError> {
        let (first, end) = (day_of(query.start_date.0), day_of(query.end_date.0));
        let days = usize::try_from(end.saturating_sub(first)).unwrap_or_default();
        if query.namespace != "VDM" || days == 0 || days > MAX_DAYS {
            let text = format!("{} is no query of VDM over 1 to {MAX_DAYS} days", query.id);
            return Err(ApiError::BadRequest(text));
        }
        // Nothing is known here by configuration set, mailbox provider or tenant.
        let is_known = query.dimensions.keys().all(|dimension| dimension == EMAIL_IDENTITY);
        let count = |day| if is_known { self.metrics.of(region, identity, query.metric, day) } else { 0 };
        Ok(Series {
            timestamps: (first..end).map(|day| Seconds(start_of(day))).collect(),
            values: (first..end).map(count).collect(),
            id: query.id,
        })
    }
}

/// Returns the day that a time lies in, counted from 1970.
fn day_of(time: Timestamp) -> i64 {
    time.as_second().div_euclid(DAY.as_secs())
}

/// Returns when a day starts.
fn start_of(day: i64) -> Timestamp {
    Timestamp::from_second(day.saturating_mul(DAY.as_secs())).unwrap_or(Timestamp::MAX)
}
