//! Asks Amazon SES beside the DNS: tokens and state before a check, and what both sides mean after it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::Mutex;

use crate::bulk::RowCheck;
use crate::bulk::input::expectation_of;
use crate::cli::engine::{Engine, Plan};
use crate::cli::failure::Failure;
use crate::cli::ses::args::SesArguments;
use crate::dns::name::Name;
use crate::expectation::{Expectation, Facts};
#[cfg(feature = "lab")]
use crate::lab::ses::{HOME_REGION, SesLab, SesSettings};
use crate::report::Report;
use crate::ses::client::{AwsIdentities, AwsSettings, DEFAULT_PER_SECOND, Identities, SesError};
use crate::ses::expect;
use crate::ses::reconcile::{DnsView, SesView, earliest_start, reconcile, report_ses};
use crate::ses::sync::SesState;

/// What the lab's Amazon SES takes as a key: anything.
#[cfg(feature = "lab")]
const LAB_KEY: &str = "lab";

/// Amazon SES beside a run: one client a region, made when it is first needed.
pub(in crate::cli) struct BesideSes {
    /// How SES is reached.
    settings: AwsSettings,
    /// The clients by region; the one under `None` is of the region that AWS's own settings name.
    clients: Mutex<HashMap<Option<String>, AwsIdentities>>,
    /// The lab's SES, which ends when it is dropped.
    #[cfg(feature = "lab")]
    _lab: Option<SesLab>,
}

impl BesideSes {
    /// Prepares to ask SES, the lab's where the DNS is the lab's; `None` where SES is not wanted.
    pub(in crate::cli) async fn start(
        arguments: &SesArguments,
        region: Option<&str>,
        plan: &Plan,
        engine: &Engine,
    ) -> Result<Option<Arc<Self>>, Failure> {
        if !arguments.ses {
            return Ok(None);
        }
        let per_second = arguments.ses_qps.unwrap_or(DEFAULT_PER_SECOND);
        if !(per_second.is_finite() && per_second >= 0.0) {
            return Err(Failure::Usage(format!("--ses-qps is {per_second}; expected a number of calls, or 0")));
        }
        let region = region.map(str::to_owned);
        let settings = AwsSettings { region, per_second, ..AwsSettings::default() };
        #[cfg(feature = "lab")]
        let (settings, lab) = match plan.served_scenario() {
            Some(scenario) => {
                let lab = SesLab::start(&SesSettings::default(), engine.roots.clone(), engine.port).await?;
                lab.populate(scenario);
                let settings = AwsSettings {
                    region: settings.region.or_else(|| Some(HOME_REGION.to_owned())),
                    endpoint: Some(lab.endpoint()),
                    access_key: Some((LAB_KEY.to_owned(), LAB_KEY.to_owned())),
                    // Our own server needs no mercy unless it is asked for.
                    per_second: arguments.ses_qps.unwrap_or_default(),
                    ..settings
                };
                (settings, Some(lab))
            }
            None => (settings, None),
        };
        let _ = (plan, engine);
        let beside = Self {
            settings,
            clients: Mutex::default(),
            #[cfg(feature = "lab")]
            _lab: lab,
        };
        // Without a region nothing can be asked, which is told before anything else.
        beside.client(None).await?;
        Ok(Some(Arc::new(beside)))
    }

    /// Returns the client of a region.
    pub(in crate::cli) async fn client(&self, region: Option<&str>) -> Result<AwsIdentities, SesError> {
        let key = region.map(|region| region.trim().to_ascii_lowercase()).filter(|region| !region.is_empty());
        let mut clients = self.clients.lock().await;
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let settings = match &key {
            Some(region) => AwsSettings { region: Some(region.clone()), ..self.settings.clone() },
            None => self.settings.clone(),
        };
        let client = AwsIdentities::connect(&settings).await?;
        clients.insert(key, client.clone());
        Ok(client)
    }

    /// Looks a domain up at SES, checks its DNS, and says what both mean together.
    ///
    /// What SES tells of the records takes the place of what was told here; where it tells nothing, what was told here
    /// has to do. What the check gives besides the report is passed on.
    pub(in crate::cli) async fn report<T, E, F>(
        &self,
        told: Facts,
        check: impl FnOnce(Expectation) -> F,
    ) -> Result<(T, Report), E>
    where
        E: From<String>,
        F: Future<Output = Result<(T, Report), E>>,
    {
        let domain =
            Name::from_user_input(&told.domain).map_err(|error| format!("domain {:?}: {error}", told.domain))?;
        let client = self.client(told.region.as_deref()).await.map_err(|error| error.to_string())?;
        let state = SesState::of(client.get(&domain).await);
        let facts = facts_of(&state, told, &domain, client.region())?;
        let (kept, mut report) = check(expectation_of(&facts)?).await?;
        let since = match state.view() {
            SesView::Identity(identity) => earliest_start(identity, report.checked_at),
            SesView::NoIdentity | SesView::Unknown => None,
        };
        let mut reconciled = reconcile(&DnsView::from(&report), state.view(), since);
        if let SesState::Unknown(error) = &state {
            reconciled.sentence = format!("{} ({error}.)", reconciled.sentence);
        }
        report.ses = Some(report_ses(client.region(), state.view(), reconciled));
        Ok((kept, report))
    }

    /// Returns how a row of a bulk run comes to its report.
    pub(in crate::cli) fn row_check(self: Arc<Self>) -> RowCheck {
        Arc::new(move |row, dns| {
            let beside = Arc::clone(&self);
            let check = |expectation| async move { Ok::<_, String>(((), dns.check(expectation).await)) };
            async move { beside.report(row.facts, check).await.map(|((), report)| report) }.boxed()
        })
    }
}

/// Puts together what SES tells and what was told here.
fn facts_of(state: &SesState, told: Facts, domain: &Name, region: &str) -> Result<Facts, String> {
    let has_own = told.tokens.iter().any(|token| !token.trim().is_empty())
        || told.selector.as_ref().is_some_and(|selector| !selector.trim().is_empty());
    let error = match state {
        SesState::Identity(identity) => match expect::facts(identity, told.clone()) {
            Ok(facts) => return Ok(facts),
            Err(error) => error.to_string(),
        },
        SesState::NoIdentity => {
            let domain = domain.to_text_without_dot();
            format!("SES has no identity {domain} in {region}, and no tokens are given")
        }
        SesState::Unknown(error) => error.to_string(),
    };
    if has_own { Ok(told) } else { Err(error) }
}
