//! SES through Amazon's own library: the only file, with its parts below it, that knows the library.
//!
//! Region, credentials, profile and endpoint come the AWS way: variables, the shared files, single sign-on. The
//! library's standard retry lies under each call; above it stand the gates, one for each kind of call, and one breaker.
//! TLS is rustls over ring.

mod failure;
mod words;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::Credentials;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use aws_sdk_sesv2::types::{
    BatchGetMetricDataQuery, Destination, MessageTag, Metric as SdkMetric, MetricDimensionName, MetricNamespace, Tag,
};
use aws_smithy_http_client::Builder as HttpBuilder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::time::Instant;

use super::gate::{Breaker, Gate};
use super::{
    DkimAnswer, DkimSigning, Identities, MetricAnswer, MetricQuery, NewIdentity, NewMailFrom, OutgoingMail, PAGE_SIZE,
    Page, PageToken, SesError,
};
use crate::dns::name::Name;
use crate::ses::identity::{SesIdentity, SesStatus};

/// How many calls a second SES is asked for identities, unless told otherwise: what it documents for its older calls.
pub const DEFAULT_PER_SECOND: f64 = 1.0;
/// How many calls a second SES is asked for metrics (SES: 16 for `BatchGetMetricData`).
const METRICS_PER_SECOND: f64 = 16.0;
/// How long a call may take with its retries.
pub const DEFAULT_OPERATION_TIMEOUT: Duration = Duration::from_secs(20);
/// How long one try may take.
pub const DEFAULT_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often the library tries a call.
const ATTEMPTS: u32 = 3;
/// How often a call that is throttled all the same is made again, each time at half the rate.
const THROTTLED_CALLS: u32 = 4;

/// How SES is reached. What is left out comes the AWS way.
#[derive(Clone, Debug)]
pub struct AwsSettings {
    /// The region.
    pub region: Option<String>,
    /// The profile of the shared files.
    pub profile: Option<String>,
    /// Another endpoint than Amazon's, such as that of a lab.
    pub endpoint: Option<String>,
    /// An access key and its secret, as a lab hands out.
    pub access_key: Option<(String, String)>,
    /// Calls a second for identities; zero is no limit.
    pub per_second: f64,
    /// How long a call may take with its retries.
    pub operation_timeout: Duration,
    /// How long one try may take.
    pub attempt_timeout: Duration,
}

impl Default for AwsSettings {
    fn default() -> Self {
        Self {
            region: None,
            profile: None,
            endpoint: None,
            access_key: None,
            per_second: DEFAULT_PER_SECOND,
            operation_timeout: DEFAULT_OPERATION_TIMEOUT,
            attempt_timeout: DEFAULT_ATTEMPT_TIMEOUT,
        }
    }
}

/// The identities of one account in one region. Cheap to clone; clones share their turns.
#[derive(Clone)]
pub struct AwsIdentities {
    /// What all clones share.
    shared: Arc<Shared>,
}

/// What all clones share.
struct Shared {
    /// The library's client.
    client: Client,
    /// The region.
    region: String,
    /// How long a call may take.
    operation_timeout: Duration,
    /// The turns of calls for identities.
    identities: Gate,
    /// The turns of calls for metrics.
    metrics: Gate,
    /// The turns of mails; SES limits them itself.
    mails: Gate,
    /// Leaves SES alone when it is down.
    breaker: Breaker,
}

impl AwsIdentities {
    /// Finds region and credentials; asks nothing of SES yet.
    ///
    /// # Errors
    /// [`SesError::Denied`] where no region is told anywhere.
    pub async fn connect(settings: &AwsSettings) -> Result<Self, SesError> {
        let http = HttpBuilder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let timeouts = TimeoutConfig::builder()
            .operation_timeout(settings.operation_timeout)
            .operation_attempt_timeout(settings.attempt_timeout);
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts.build());
        if let Some(region) = &settings.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(endpoint) = &settings.endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        if let Some((id, secret)) = &settings.access_key {
            loader = loader.credentials_provider(Credentials::new(id, secret, None, None, "told"));
        }
        let config = loader.load().await;
        let no_region = || SesError::Denied("no region is told; give --region or set AWS_REGION".to_owned());
        let region = config.region().ok_or_else(no_region)?.to_string();
        let shared = Shared {
            client: Client::new(&config),
            region,
            operation_timeout: settings.operation_timeout,
            identities: Gate::new(settings.per_second),
            metrics: Gate::new(METRICS_PER_SECOND),
            mails: Gate::new(0.0),
            breaker: Breaker::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Returns how many calls a second SES is asked for identities at the moment; `None` is no limit.
    #[must_use]
    pub fn per_second(&self) -> Option<f64> {
        self.shared.identities.per_second()
    }

    /// Makes a call in its turn, and again where it is throttled.
    async fn call<'a, T>(
        &'a self,
        gate: &'a Gate,
        tries: u32,
        attempt: impl Fn() -> BoxFuture<'a, Result<T, SesError>>,
    ) -> Result<T, SesError> {
        let mut left = tries;
        loop {
            left = left.saturating_sub(1);
            // Asked before the wait so that calls do not queue up for nothing, and again when their turn has come.
            let breaker = &self.shared.breaker;
            breaker.open_for(Instant::now()).map_or(Ok(()), |wait| Err(left_alone(wait)))?;
            gate.turn().await;
            breaker.admit(Instant::now(), self.shared.operation_timeout).map_err(left_alone)?;
            let outcome = attempt().await;
            match &outcome {
                Err(SesError::Throttled) => {
                    breaker.answered();
                    gate.slow_down(Instant::now());
                    if left > 0 {
                        continue;
                    }
                }
                Err(SesError::Unavailable(_) | SesError::Malformed(_)) => breaker.failed(Instant::now()),
                Ok(_) | Err(_) => {
                    breaker.answered();
                    gate.speed_up();
                }
            }
            return outcome;
        }
    }

    /// Makes a call for identities.
    async fn ask<'a, T>(&'a self, attempt: impl Fn() -> BoxFuture<'a, Result<T, SesError>>) -> Result<T, SesError> {
        self.call(&self.shared.identities, THROTTLED_CALLS, attempt).await
    }

    /// Makes an identity, once.
    async fn try_create(&self, new: &NewIdentity) -> Result<SesIdentity, SesError> {
        let domain = new.name.to_text_without_dot();
        let tags: Result<Vec<Tag>, _> =
            new.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let request = self.shared.client.create_email_identity().email_identity(&domain);
        let request = request
            .set_dkim_signing_attributes(words::write_signing(&new.signing, true))
            .set_configuration_set_name(new.configuration_set.clone())
            .set_tags(Some(tags.map_err(|error| refused(&error))?).filter(|tags| !tags.is_empty()));
        let told = request.send().await.map_err(|error| failure::read(&domain, &error))?;
        let mut identity = SesIdentity::new(new.name.clone(), &self.shared.region);
        identity.sending = told.verified_for_sending_status();
        // SES does not tell the status as a whole here; it has just begun to look.
        identity.verification_status = if identity.sending { SesStatus::Success } else { SesStatus::Pending };
        if let Some(dkim) = told.dkim_attributes() {
            words::read_dkim(&mut identity, dkim)?;
        }
        Ok(identity)
    }

    /// Reads one identity, once.
    async fn try_get(&self, name: &Name) -> Result<SesIdentity, SesError> {
        let domain = name.to_text_without_dot();
        let sent = self.shared.client.get_email_identity().email_identity(&domain).send().await;
        let told = sent.map_err(|error| failure::read(&domain, &error))?;
        words::read_identity(name, &self.shared.region, &told)
    }

    /// Reads one page, once.
    async fn try_list(&self, page: Option<&PageToken>) -> Result<Page, SesError> {
        let request = self.shared.client.list_email_identities().page_size(i32::from(PAGE_SIZE));
        let sent = request.set_next_token(page.map(|token| token.0.clone())).send().await;
        let told = sent.map_err(|error| failure::read("the listing", &error))?;
        Ok(words::read_page(&told))
    }

    /// Says how to sign, once.
    async fn try_signing(&self, name: &Name, signing: &DkimSigning) -> Result<DkimAnswer, SesError> {
        let domain = name.to_text_without_dot();
        let request = self.shared.client.put_email_identity_dkim_signing_attributes().email_identity(&domain);
        let request = request
            .signing_attributes_origin(words::write_origin(signing))
            .set_signing_attributes(words::write_signing(signing, false));
        let told = request.send().await.map_err(|error| failure::read(&domain, &error))?;
        let zone = told.signing_hosted_zone().filter(|zone| !zone.is_empty());
        Ok(DkimAnswer {
            status: told.dkim_status().map_or(SesStatus::Unknown, |status| SesStatus::of_word(status.as_str())),
            tokens: told.dkim_tokens().to_vec(),
            signing_hosted_zone: zone.map(words::name).transpose()?,
        })
    }

    /// Sends a mail, once and without the library's retry.
    async fn try_send(&self, mail: &OutgoingMail) -> Result<String, SesError> {
        let destination = Destination::builder()
            .set_to_addresses(some(&mail.to))
            .set_cc_addresses(some(&mail.cc))
            .set_bcc_addresses(some(&mail.bcc));
        let tags: Result<Vec<MessageTag>, _> =
            mail.tags.iter().map(|(name, value)| MessageTag::builder().name(name).value(value).build()).collect();
        let request = self
            .shared
            .client
            .send_email()
            .from_email_address(&mail.from)
            .destination(destination.build())
            .set_reply_to_addresses(some(&mail.reply_to))
            .content(words::write_content(&mail.content).map_err(|error| refused(&error))?)
            .set_configuration_set_name(mail.configuration_set.clone())
            .set_email_tags(Some(tags.map_err(|error| refused(&error))?).filter(|tags| !tags.is_empty()));
        let once = aws_sdk_sesv2::config::Builder::new().retry_config(RetryConfig::disabled());
        let sent = request.customize().config_override(once).send().await;
        let told = sent.map_err(|error| failure::read(&mail.from, &error))?;
        let id = told.message_id().ok_or_else(|| SesError::Malformed("a mail without an id".to_owned()))?;
        Ok(id.to_owned())
    }

    /// Reads numbers, once.
    async fn try_metrics(&self, queries: &[MetricQuery]) -> Result<Vec<MetricAnswer>, SesError> {
        let mut request = self.shared.client.batch_get_metric_data();
        for query in queries {
            let about = |name: &Name| HashMap::from([(MetricDimensionName::EmailIdentity, name.to_text_without_dot())]);
            let asked = BatchGetMetricDataQuery::builder()
                .id(&query.id)
                .namespace(MetricNamespace::Vdm)
                .metric(SdkMetric::from(query.metric.as_str()))
                .set_dimensions(query.identity.as_ref().map(about))
                .start_date(words::date_time(query.from))
                .end_date(words::date_time(query.until))
                .build();
            request = request.queries(asked.map_err(|error| refused(&error))?);
        }
        let told = request.send().await.map_err(|error| failure::read("metrics", &error))?;
        let results = told.results().iter().map(|result| {
            let times = result.timestamps().iter().filter_map(words::timestamp);
            let outcome = Ok(times.zip(result.values().iter().copied()).collect());
            MetricAnswer { id: result.id().unwrap_or_default().to_owned(), outcome }
        });
        let errors = told.errors().iter().map(|error| MetricAnswer {
            id: error.id().unwrap_or_default().to_owned(),
            outcome: Err(error.code().map_or("UNKNOWN", |code| code.as_str()).to_owned()),
        });
        Ok(results.chain(errors).collect())
    }
}

/// Says for how long SES is left alone yet.
fn left_alone(wait: Duration) -> SesError {
    SesError::Unavailable(format!("it failed many times in a row and is left alone for {} s", wait.as_secs().max(1)))
}

/// Returns a list where there is something in it.
fn some(list: &[String]) -> Option<Vec<String>> {
    (!list.is_empty()).then(|| list.to_vec())
}

/// Says that the library does not take a request as it is.
fn refused(error: &aws_sdk_sesv2::error::BuildError) -> SesError {
    SesError::Refused { code: "incomplete".to_owned(), message: error.to_string() }
}

impl Identities for AwsIdentities {
    fn region(&self) -> &str {
        &self.shared.region
    }

    fn create<'a>(&'a self, new: &'a NewIdentity) -> BoxFuture<'a, Result<SesIdentity, SesError>> {
        self.ask(move || self.try_create(new).boxed()).boxed()
    }

    fn get<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<SesIdentity, SesError>> {
        self.ask(move || self.try_get(name).boxed()).boxed()
    }

    fn list<'a>(&'a self, page: Option<&'a PageToken>) -> BoxFuture<'a, Result<Page, SesError>> {
        self.ask(move || self.try_list(page).boxed()).boxed()
    }

    fn delete<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<(), SesError>> {
        let attempt = move || {
            async move {
                let domain = name.to_text_without_dot();
                let sent = self.shared.client.delete_email_identity().email_identity(&domain).send().await;
                sent.map(drop).map_err(|error| failure::read(&domain, &error))
            }
            .boxed()
        };
        self.ask(attempt).boxed()
    }

    fn put_dkim_signing<'a>(
        &'a self,
        name: &'a Name,
        signing: &'a DkimSigning,
    ) -> BoxFuture<'a, Result<DkimAnswer, SesError>> {
        self.ask(move || self.try_signing(name, signing).boxed()).boxed()
    }

    fn put_dkim_enabled<'a>(&'a self, name: &'a Name, enabled: bool) -> BoxFuture<'a, Result<(), SesError>> {
        let attempt = move || {
            async move {
                let domain = name.to_text_without_dot();
                let request = self.shared.client.put_email_identity_dkim_attributes().email_identity(&domain);
                let sent = request.signing_enabled(enabled).send().await;
                sent.map(drop).map_err(|error| failure::read(&domain, &error))
            }
            .boxed()
        };
        self.ask(attempt).boxed()
    }

    fn put_mail_from<'a>(
        &'a self,
        name: &'a Name,
        mail_from: Option<&'a NewMailFrom>,
    ) -> BoxFuture<'a, Result<(), SesError>> {
        let attempt = move || {
            async move {
                let domain = name.to_text_without_dot();
                let request = self.shared.client.put_email_identity_mail_from_attributes().email_identity(&domain);
                let request = request
                    .set_mail_from_domain(mail_from.map(|new| new.domain.to_text_without_dot()))
                    .set_behavior_on_mx_failure(mail_from.map(|new| words::write_on_mx_failure(new.on_mx_failure)));
                request.send().await.map(drop).map_err(|error| failure::read(&domain, &error))
            }
            .boxed()
        };
        self.ask(attempt).boxed()
    }

    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<String, SesError>> {
        self.call(&self.shared.mails, 1, move || self.try_send(mail).boxed()).boxed()
    }

    fn metrics<'a>(&'a self, queries: &'a [MetricQuery]) -> BoxFuture<'a, Result<Vec<MetricAnswer>, SesError>> {
        self.call(&self.shared.metrics, THROTTLED_CALLS, move || self.try_metrics(queries).boxed()).boxed()
    }
}

#[cfg(test)]
mod tests;
