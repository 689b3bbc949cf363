//! Webhooks over HTTPS, from a real worker to real TLS servers on loopback whose authority is made up.

use std::fs;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use zoneproof::service::webhooks::signature::Secret;
use zoneproof::store::{Delivery, DeliveryFilter, DeliveryState, Endpoint, EndpointId};

use super::scene::{Scene, signal, wait_until};
use super::{bulk, ended};

/// An authority that signs certificates.
type Authority = CertifiedIssuer<'static, KeyPair>;

/// Makes an authority.
fn authority(name: &str) -> Authority {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// A receiver that speaks TLS, answers 204, and keeps what it was sent.
struct Receiver {
    /// Its port.
    port: u16,
    /// The requests.
    requests: Arc<Mutex<Vec<String>>>,
    /// How many handshakes came to nothing.
    refused: Arc<Mutex<usize>>,
}

impl Receiver {
    /// Starts one with a certificate for a name.
    fn start(scene: &Scene, authority: &Authority, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = scene.runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (requests, refused) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let (kept, counted) = (Arc::clone(&requests), Arc::clone(&refused));
        scene.runtime.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    *counted.lock().unwrap() += 1;
                    continue;
                };
                let mut request = Vec::new();
                while !request.ends_with(b"}") && stream.read_buf(&mut request).await.unwrap_or(0) > 0 {}
                kept.lock().unwrap().push(String::from_utf8(request).unwrap());
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
                let _ = stream.shutdown().await;
            }
        });
        Self { port, requests, refused }
    }

    /// Describes it to the store.
    fn endpoint(&self, id: &str) -> Endpoint {
        Endpoint {
            id: EndpointId::from_text(id),
            url: format!("https://localhost:{}/hook", self.port),
            secret: Secret::generate().reveal(),
            tenant: None,
            kinds: Vec::new(),
            is_enabled: true,
            created_at: Timestamp::now(),
        }
    }
}

/// Reads a header of a request.
fn header<'a>(request: &'a str, name: &str) -> &'a str {
    request.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap()
}

#[test]
fn a_webhook_goes_over_https_to_whom_its_certificate_names_and_to_nobody_else() {
    let scene = Scene::start(40, 1);
    let (trusted, foreign) = (authority("trusted"), authority("foreign"));
    let right = Receiver::start(&scene, &trusted, "localhost");
    let misnamed = Receiver::start(&scene, &trusted, "hooks.example.com");
    let untrusted = Receiver::start(&scene, &foreign, "localhost");
    let roots = scene.folder.path().join("roots.pem");
    fs::write(&roots, trusted.pem()).unwrap();
    let url = scene.sqlite();
    let store = scene.open(&url);
    let endpoints =
        [right.endpoint("whk_right"), misnamed.endpoint("whk_misnamed"), untrusted.endpoint("whk_untrusted")];
    for endpoint in &endpoints {
        scene.runtime.block_on(store.put_endpoint(endpoint)).unwrap();
    }
    // One domain becomes verified: one event, owed to all three.
    assert_eq!(ended(&scene, &mut bulk(&scene, &url)), Some(0), "{}", scene.said());
    let mut worker = scene.zoneproof(&["worker"], &url).env("SSL_CERT_FILE", &roots).spawn().unwrap();
    let delivery = |endpoint: &Endpoint| -> Delivery {
        let filter = DeliveryFilter { endpoint: Some(endpoint.id.clone()), ..DeliveryFilter::default() };
        scene.runtime.block_on(store.deliveries(&filter, None, 10)).unwrap().remove(0)
    };
    wait_until("an attempt at each", &scene, || {
        let is_settled = |delivery: Delivery| delivery.state != DeliveryState::Pending || delivery.last_error.is_some();
        endpoints.iter().map(delivery).all(is_settled)
    });
    signal(&worker, "TERM");
    assert_eq!(ended(&scene, &mut worker), Some(0), "{}", scene.said());
    let [taken, misnamed_one, untrusted_one] = endpoints.each_ref().map(delivery);
    assert_eq!((taken.state, taken.attempts), (DeliveryState::Delivered, 1));
    for (delivery, receiver, told) in
        [(misnamed_one, &misnamed, "not valid for name"), (untrusted_one, &untrusted, "UnknownIssuer")]
    {
        let error = delivery.last_error.unwrap();
        println!("{}: {error}", delivery.endpoint.id);
        assert!(error.contains(told), "{error}");
        assert_eq!(delivery.state, DeliveryState::Pending, "it is tried again");
        assert!(*receiver.refused.lock().unwrap() > 0, "nobody came");
        assert_eq!(*receiver.requests.lock().unwrap(), Vec::<String>::new(), "a message was sent");
    }
    let requests = right.requests.lock().unwrap().clone();
    let [request] = &requests[..] else { panic!("{requests:?}") };
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /hook HTTP/1.1\r\n"), "{head}");
    let sent_at = Timestamp::from_second(header(head, "webhook-timestamp").parse().unwrap()).unwrap();
    let secret = Secret::parse(&endpoints[0].secret).unwrap();
    let signature = secret.sign(header(head, "webhook-id"), sent_at, body.as_bytes());
    assert_eq!(header(head, "webhook-signature"), signature);
    let told: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&told["type"], &told["data"]["domain"]["name"]), (&"domain.verified".into(), &"d0.example".into()));
}
