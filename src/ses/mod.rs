//! Amazon SES beside the DNS: what SES says of a domain, what that makes us expect, and what both together mean.
//!
//! ```text
//! client (I/O) -> SesIdentity -> expect (pure) -> Expectation -> check -> Report
//!                      |                                                    |
//!                      `---------------> reconcile (pure) <-----------------'
//! ```
//!
//! [`identity`] holds what SES says in its own words; [`expect`] says which records that asks for; [`reconcile`] says
//! what the verdict and SES mean together. [`client`] is the only door to SES; [`sync`] asks it for a whole fleet with few
//! calls; [`restart`] has it look again.

pub mod client;
pub mod expect;
pub mod identity;
#[cfg(test)]
mod memory;
pub mod reconcile;
pub mod restart;
pub mod sync;
