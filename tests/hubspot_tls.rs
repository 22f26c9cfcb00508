//! Who is trusted: a certificate that is not HubSpot's, whatever is wrong with it, and nobody sees a request. The servers
//! stand on this machine and claim to be `api.hubapi.com`; the address is given, the name is still checked.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use dealdeck::{
    domain::FaultKind,
    hubspot::{
        Client, Clock, HttpTransport, MemoryBook, Request, Response, Settings, Transport, TransportError,
        TransportErrorKind,
    },
};
use http::{HeaderMap, HeaderValue, Method};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig, crypto,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

const HOST: &str = "api.hubapi.com";

/// An authority nobody knows.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: Vec<u8>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem().into_bytes();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    fn signs(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), key)
    }
}

type Identity = (CertificateDer<'static>, KeyPair);

fn valid_for(host: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2026, 12, 31);
    params
}

/// A server with this certificate; what it could read of requests.
async fn server((certificate, key): Identity) -> (SocketAddr, Arc<Mutex<Vec<u8>>>) {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = seen.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, heard) = (acceptor.clone(), heard.clone());
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut chunk = [0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut chunk).await {
                    heard.lock().unwrap().extend_from_slice(&chunk[..read]);
                    let _ = stream
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
                        .await;
                }
            });
        }
    });
    (address, seen)
}

async fn ask(address: SocketAddr, ca_pem: Option<&[u8]>) -> Result<Response, TransportError> {
    let settings = Settings {
        ca_pem: ca_pem.map(<[u8]>::to_vec),
        ..Settings::default()
    };
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_static("Bearer pat-na1-canary"));
    let request = Request {
        method: Method::GET,
        path_and_query: "/crm/objects/2026-09/deals".to_owned(),
        headers,
        body: Bytes::new(),
        timeout: Duration::from_secs(20),
        hublet: None,
    };
    let transport = HttpTransport::through(&settings, address).unwrap();
    transport.send(request).await
}

async fn is_refused(identity: Identity, ca_pem: Option<&[u8]>) {
    let (address, seen) = server(identity).await;
    let error = ask(address, ca_pem).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Certificate, "{error}");
    assert!(!error.sent, "{error}");
    assert!(seen.lock().unwrap().is_empty(), "not a byte of the request");
    assert!(!error.to_string().contains("canary"));
}

#[tokio::test]
async fn a_certificate_of_an_authority_that_is_named_is_trusted() {
    let authority = Authority::new();
    let (address, seen) = server(authority.signs(valid_for(HOST))).await;
    let answer = ask(address, Some(&authority.pem)).await.unwrap();
    assert_eq!(answer.status, 200);
    let seen = String::from_utf8(seen.lock().unwrap().clone()).unwrap();
    assert!(
        seen.contains("Bearer pat-na1-canary") && seen.contains("host: api.hubapi.com"),
        "{seen}"
    );
}

#[tokio::test]
async fn a_certificate_of_an_authority_nobody_named_is_refused() {
    let (known, unknown) = (Authority::new(), Authority::new());
    is_refused(unknown.signs(valid_for(HOST)), None).await;
    is_refused(unknown.signs(valid_for(HOST)), Some(&known.pem)).await;
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused() {
    let key = KeyPair::generate().unwrap();
    let certificate = valid_for(HOST).self_signed(&key).unwrap();
    is_refused((certificate.der().clone(), key), None).await;
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let authority = Authority::new();
    for host in [
        "evil.example",
        "hubapi.com",
        "api.hubapi.com.evil.example",
        "api-eu1.hubapi.com",
    ] {
        is_refused(authority.signs(valid_for(host)), Some(&authority.pem)).await;
    }
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_refused() {
    let authority = Authority::new();
    let mut expired = valid_for(HOST);
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    is_refused(authority.signs(expired), Some(&authority.pem)).await;
    let mut early = valid_for(HOST);
    early.not_before = date_time_ymd(2090, 1, 1);
    early.not_after = date_time_ymd(2091, 1, 1);
    is_refused(authority.signs(early), Some(&authority.pem)).await;
}

#[tokio::test]
async fn tls_1_1_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let after_hello = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut chunk = [0; 4096];
        let _ = stream.read(&mut chunk).await;
        // A server hello of TLS 1.1: version, random, no session, TLS_RSA_WITH_AES_128_CBC_SHA, no compression.
        let mut hello = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
        hello.extend([7; 32]);
        hello.extend([0, 0, 0x2f, 0]);
        let _ = stream.write_all(&hello).await;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        rest
    });
    let error = ask(address, None).await.unwrap_err();
    assert!(!error.sent, "{error}");
    assert_eq!(error.kind, TransportErrorKind::Tls, "{error}");
    let rest = after_hello.await.unwrap();
    assert!(rest.len() < 16, "an alert and nothing else: {rest:?}");
}

#[tokio::test]
async fn an_untrusted_connection_is_an_auth_fault_that_says_what_to_do() {
    let (address, _) = server(Authority::new().signs(valid_for(HOST))).await;
    let settings = Settings {
        token: "pat-na1-canary".into(),
        ..Settings::default()
    };
    let transport = Arc::new(HttpTransport::through(&settings, address).unwrap());
    let client = Client::new(&settings, transport, Clock::system(), Arc::new(MemoryBook::new()));
    let fault = client.identity().await.unwrap_err().fault();
    assert_eq!(fault.kind, FaultKind::Auth);
    assert!(
        fault.what.starts_with("the connection to HubSpot is not trusted"),
        "{fault}"
    );
    assert!(fault.next.contains("CA file"), "{fault}");
}

#[test]
fn a_file_of_authorities_without_one_is_refused() {
    for pem in [
        &b""[..],
        b"not pem",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let settings = Settings {
            ca_pem: Some(pem.to_vec()),
            ..Settings::default()
        };
        assert!(
            HttpTransport::new(&settings).is_err(),
            "{}",
            String::from_utf8_lossy(pem)
        );
    }
}
