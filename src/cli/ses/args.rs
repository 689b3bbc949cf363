//! What can be typed of Amazon SES.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::examples;

/// Whether Amazon SES is asked too, and how.
#[derive(Args, Clone, Debug)]
pub(crate) struct SesArguments {
    /// Take tokens, MAIL FROM and state from Amazon SES, and say what both sides mean together
    #[arg(long)]
    pub(crate) ses: bool,
    /// Calls to Amazon SES per second, such as 0.5; 0 is no limit [default: 1; no limit with --lab]
    #[arg(long, value_name = "N", env = "ZONEPROOF_SES_QPS", hide_env = true)]
    pub(crate) ses_qps: Option<f64>,
}

/// What can be done at Amazon SES.
#[derive(Debug, Subcommand)]
pub(crate) enum SesCommand {
    /// Show what Amazon SES says of a domain
    #[command(after_help = examples::SES_SHOW)]
    Show {
        /// The identity.
        #[command(flatten)]
        identity: IdentityArguments,
        /// Print it as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Have Amazon SES look for the DKIM records again, with the same tokens
    #[command(after_help = examples::SES_RESTART)]
    Restart {
        /// The identity.
        #[command(flatten)]
        identity: IdentityArguments,
        /// Delete the identity and make it again where SES allows no other way: its DKIM records change
        #[arg(long)]
        discard_tokens: bool,
        /// The private key of bring-your-own DKIM, in PEM or base64
        #[arg(long, value_name = "FILE")]
        private_key: Option<PathBuf>,
    },
}

/// An identity of Amazon SES.
#[derive(Args, Debug)]
pub(crate) struct IdentityArguments {
    /// The sender domain
    pub(crate) domain: String,
    /// The AWS region of the identity [default: that of AWS_REGION or the profile]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
}
