//! What is wrong, and the proof.
//!
//! Pure: reads an [`Expectation`](crate::expectation::Expectation) and
//! [`Evidence`](crate::evidence::Evidence), asks nothing. Findings do not change with the order of servers or records.

pub mod candidates;
pub mod catalogue;
pub mod dkim;
pub mod finding;
pub mod inquiry;
#[cfg(test)]
pub(crate) mod sample;
pub mod status;

pub use catalogue::{Code, Severity};
pub use finding::{Argument, Finding, JudgedRecord, Judgement, Proof, RecordStatus, Subject};
