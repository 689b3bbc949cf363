//! The lab's Amazon SES over HTTP: what identities become by the lab's DNS and the clock, and what a client meets.
#![cfg(test)]
#![cfg(feature = "lab")]

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zoneproof::lab::Lab;
use zoneproof::lab::ses::{HOME_REGION, SesLab, SesSettings};
use zoneproof::scenario::Scenario;

#[path = "lab_ses/calls.rs"]
mod calls;
#[path = "lab_ses/demo.rs"]
mod demo;
#[cfg(feature = "ses")]
#[path = "lab_ses/sdk.rs"]
mod sdk;
#[path = "lab_ses/verification.rs"]
mod verification;

/// How long a reply may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A few domains, each with something else the matter. `*` stands for what is in front of the first token.
const WORLD: &str = r#"
zone . at 127.9.20.1
  com                       NS     ns.com
  ns.com                    A      127.9.20.1
zone com at 127.9.20.1
  example                   NS     ns1.example.com.
  ns1.example               A      127.9.20.2
zone example.com at 127.9.20.2
  @                         SOA    ns1 hostmaster 2026112401 7200 900 1209600 300
  ta._domainkey.right       CNAME  ta.dkim.amazonses.com.
  tb._domainkey.right       CNAME  tb.dkim.amazonses.com.
  tc._domainkey.right       CNAME  tc.dkim.amazonses.com.
  bounce.right              MX     10 feedback-smtp.eu-west-1.amazonses.com.
  two.right                 MX     10 feedback-smtp.eu-west-1.amazonses.com.
  two.right                 MX     20 mail.example.com.
  ta._domainkey.text        TXT    "ta.dkim.amazonses.com"
  tb._domainkey.text        TXT    "tb.dkim.amazonses.com"
  tc._domainkey.text        TXT    "tc.dkim.amazonses.com"
  ta._domainkey.other       CNAME  ta.dkim.amazonses.com.
  tb._domainkey.other       CNAME  tc.dkim.amazonses.com.
  tc._domainkey.other       CNAME  tc.dkim.amazonses.com.
  ta._domainkey.south       CNAME  ta.dkim.eu-south-1.amazonses.com.
  tb._domainkey.south       CNAME  tb.dkim.eu-south-1.amazonses.com.
  tc._domainkey.south       CNAME  tc.dkim.eu-south-1.amazonses.com.
  s1._domainkey.own         TXT    "p=PUBLIC_KEY"
  s2._domainkey.own         TXT    "p="
server 127.9.20.2
  any under broken.example.com -> SERVFAIL
check right.example.com token=ta token=tb token=tc
check text.example.com token=ta token=tb token=tc
check other.example.com token=ta token=tb token=tc
check south.example.com token=ta token=tb token=tc
check broken.example.com token=ta token=tb token=tc
check nowhere.example.com token=ta token=tb token=tc
"#;

/// A DNS, and an SES that looks at it.
struct World {
    /// The DNS, which ends when it is dropped.
    _dns: Lab,
    /// The SES, whose clock stands still until it is moved.
    ses: SesLab,
}

impl World {
    /// Starts both.
    async fn start() -> Self {
        Self::with(SesSettings::default()).await
    }

    /// Starts both, with these settings but the clock.
    async fn with(settings: SesSettings) -> Self {
        let text = WORLD.replace("PUBLIC_KEY", &verification::public_key());
        let dns = Lab::start(Arc::new(text.parse::<Scenario>().unwrap()), None).await.unwrap();
        let start = "2026-11-24T12:00:00Z".parse::<Timestamp>().unwrap();
        let settings = SesSettings { start: Some(start), speed: 0, ..settings };
        let ses = SesLab::start(&settings, dns.root_hints(), dns.port()).await.unwrap();
        ses.learn_tokens(dns.scenario());
        Self { _dns: dns, ses }
    }

    /// Calls in the home region.
    async fn call(&self, method: &str, path: &str, body: Value) -> Reply {
        self.call_in(HOME_REGION, method, path, body).await
    }

    /// Calls in a region.
    async fn call_in(&self, region: &str, method: &str, path: &str, body: Value) -> Reply {
        let mut stream = self.send(Some(region), method, path, &body.to_string()).await;
        let mut text = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut text)).await.unwrap().unwrap();
        Reply::read(&text)
    }

    /// Sends a request, and returns where the reply will come.
    async fn send(&self, region: Option<&str>, method: &str, path: &str, body: &str) -> TcpStream {
        let host = self.ses.endpoint().trim_start_matches("http://").to_owned();
        let mut stream = timeout(PATIENCE, TcpStream::connect(&host)).await.unwrap().unwrap();
        let signature = region.map_or(String::new(), |region| {
            let credential = format!("Credential=lab/20261124/{region}/ses/aws4_request");
            format!("authorization: AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=00\r\n")
        });
        let head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{signature}");
        let body = format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        stream
    }

    /// Makes an identity of Easy DKIM.
    async fn create(&self, name: &str) -> Value {
        let reply = self.call("POST", "/v2/email/identities", json!({"EmailIdentity": name})).await;
        assert_eq!(reply.status, 200, "{name}: {}", reply.text);
        reply.json()
    }

    /// Tells an identity.
    async fn get(&self, name: &str) -> Value {
        let reply = self.call("GET", &format!("/v2/email/identities/{name}"), json!({})).await;
        assert_eq!(reply.status, 200, "{name}: {}", reply.text);
        reply.json()
    }
}

/// A reply.
struct Reply {
    /// The HTTP status.
    status: u16,
    /// The name of the error; empty without one.
    error: String,
    /// The body.
    text: String,
}

impl Reply {
    /// Takes a reply apart.
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let error = head.lines().find_map(|line| line.strip_prefix("x-amzn-errortype: "));
        Self {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            error: error.unwrap_or_default().to_owned(),
            text: body.to_owned(),
        }
    }

    /// Reads the body.
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}
