//! Why a command was not possible: one line, and the exit code.

use std::io;
use std::path::{Path, PathBuf};

use crate::bulk::input::InputError;
use crate::bulk::resume::OutputError;
use crate::check::BuildError;
use crate::cli::{NOT_CHECKED, NOT_POSSIBLE};
use crate::config::ConfigError;
use crate::dns::name::NameError;
use crate::dns::network::NetworkListError;
use crate::dns::rrset::UnknownRecordType;
use crate::expectation::ExpectationError;
#[cfg(feature = "lab")]
use crate::lab::LabError;
#[cfg(feature = "lab")]
use crate::lab::ses::SesLabError;
use crate::scenario::fixture::FixtureError;
#[cfg(feature = "ses")]
use crate::ses::client::SesError;
#[cfg(feature = "ses")]
use crate::ses::restart::RestartError;

/// Why a command was not possible.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// What was typed cannot be read.
    #[error("error: {0}; --help says what can be typed")]
    Usage(String),
    /// A command that needs a file or input was given none.
    #[error("error: no input; expected a file, - for standard input{}", if cfg!(feature = "lab") { ", or --lab" } else { "" })]
    NoInput,
    /// The settings cannot be used.
    #[error("error: {0}")]
    Config(#[from] ConfigError),
    /// The domain or its tokens cannot be used.
    #[error("error: {0}")]
    Expectation(#[from] ExpectationError),
    /// The scenario does not know the domain.
    #[error("error: no tokens; expected --token three times, as {0} does not name them for this domain")]
    NoTokens(String),
    /// A name cannot be read.
    #[error("error: name {text:?}: {source}")]
    Name {
        /// What was given.
        text: String,
        /// What is wrong with it.
        source: NameError,
    },
    /// An address cannot be read.
    #[error("error: address {0:?}: expected one such as 192.0.2.1 or 2001:db8::1")]
    Address(String),
    /// A record type cannot be read.
    #[error("error: {0}")]
    RecordType(#[from] UnknownRecordType),
    /// There is no such code.
    #[error("error: {0:?} is no code{1}; `zoneproof findings` lists them")]
    Code(String, String),
    /// The input cannot be opened.
    #[error("error: cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The input has no rows.
    #[error("error: {name}: {source}")]
    Input {
        /// What was read.
        name: String,
        /// What is wrong with it.
        source: InputError,
    },
    /// The output cannot be used.
    #[error("error: {0}")]
    Output(#[from] OutputError),
    /// Standard input cannot be compared with what it was.
    #[error("error: --resume needs a file as input: what standard input was before cannot be told")]
    ResumeStandardInput,
    /// Text is for reading.
    #[error("error: --resume needs --format jsonl or csv: rows cannot be told in text")]
    ResumeText,
    /// Something cannot be written.
    #[error("error: cannot write to {name}: {source}")]
    Write {
        /// What was written to.
        name: String,
        /// Why not.
        source: io::Error,
    },
    /// A scenario cannot be read.
    #[error("error: {}: {text}", path.display())]
    Scenario {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        text: String,
    },
    /// There is no such provider.
    #[error("error: {0:?} is no DNS provider that is known{1}")]
    Provider(String, String),
    /// The list of networks cannot be read.
    #[error("error: {}: {source}", path.display())]
    Networks {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: NetworkListError,
    },
    /// Records in JSON cannot be read.
    #[error("error: {}: {}", path.display(), with_source(.source))]
    Fixture {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: FixtureError,
    },
    /// The lab cannot be served.
    #[cfg(feature = "lab")]
    #[error("error: {}", with_source(.0))]
    Lab(#[from] LabError),
    /// The lab's Amazon SES cannot start.
    #[cfg(feature = "lab")]
    #[error("error: {}", with_source(.0))]
    SesLab(#[from] SesLabError),
    /// Amazon SES did not do what it was asked.
    #[cfg(feature = "ses")]
    #[error("error: {0}")]
    Ses(#[from] SesError),
    /// What should be there cannot be told, or SES cannot be asked for it.
    #[cfg(feature = "ses")]
    #[error("error: {0}")]
    Identity(String),
    /// SES does not look again.
    #[cfg(feature = "ses")]
    #[error("error: {0}")]
    Restart(#[from] RestartError),
    /// No checker can be made.
    #[error("error: {}", with_source(.0))]
    Build(#[from] BuildError),
    /// The database cannot be used.
    #[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
    #[error("error: {0}")]
    Store(#[from] crate::store::StoreError),
    /// A webhook cannot be posted there.
    #[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
    #[error("error: {url:?}: {source}")]
    Target {
        /// What was given.
        url: String,
        /// What is wrong with it.
        source: crate::service::webhooks::target::TargetError,
    },
    /// The certificates of the operating system cannot be read, by which receivers of webhooks are told.
    #[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
    #[error("error: cannot read the system's certificates: {0}")]
    Certificates(#[source] io::Error),
    /// No root server answers.
    #[error(
        "error: no root server answers at port {port}; are UDP and TCP to that port open here, and are the root servers right?"
    )]
    NoRoot {
        /// The port that they were asked at.
        port: u16,
    },
    /// The operating system gives no threads.
    #[error("error: cannot start: {0}")]
    Runtime(#[source] io::Error),
}

#[cfg(feature = "ses")]
impl From<String> for Failure {
    fn from(line: String) -> Self {
        Self::Identity(line)
    }
}

impl Failure {
    /// Says that a file cannot be read.
    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    /// Says that standard output cannot be written to.
    pub(crate) fn stdout(source: io::Error) -> Self {
        Self::Write { name: "standard output".to_owned(), source }
    }

    /// Returns the exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Name { .. } | Self::Address(_) | Self::RecordType(_) => NOT_CHECKED,
            _ => NOT_POSSIBLE,
        }
    }
}

/// Writes an error and what it comes from.
fn with_source(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}
