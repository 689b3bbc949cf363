//! Proves from the authoritative DNS whether a sender domain is set up right, and says what to type where.
//!
//! ```text
//! Expectation -> walk -> observe -> Evidence -> findings -> verdict -> remedy -> Report
//!   (input)     (zone cuts) (every server)      (pure)     (pure)     (pure)
//! ```
//!
//! The middle is a loop: the plan looks at what is expected and what was seen, and says what is left
//! to ask; when nothing is, the findings judge. The left wing asks and does all I/O: [`transport`], [`walk`],
//! [`observe`]. The right wing judges and is pure: [`dns`], [`records`], [`evidence`], [`expectation`], [`findings`],
//! [`remedy`], [`report`]. They meet in [`check`], where [`check::Checker`] is what to embed.
//!
//! Read in this order: [`dns::response`] (what a server can say), [`findings::catalogue`] (what can be found), [`check`]
//! (the whole product in one loop), then any file under `fixtures/scenarios/` ([`scenario`] tells their grammar).
//!
//! No recursive resolver is trusted, no result is made up, and no server is asked faster than its limit.

pub mod budget;
#[cfg(feature = "cli")]
pub mod bulk;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod config;
pub mod dns;
pub mod dnssec;
pub mod doctor;
pub mod evidence;
pub mod expectation;
pub mod findings;
#[cfg(feature = "lab")]
pub mod lab;
pub mod metrics;
pub mod observe;
pub mod providers;
pub mod records;
pub mod remedy;
pub mod report;
pub mod scenario;
#[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
pub mod service;
pub mod ses;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub mod store;
pub mod transport;
pub mod walk;
