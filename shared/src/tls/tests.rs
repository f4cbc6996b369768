//! Handshakes that succeed and fail, and files that cannot be used.

use rcgen::CertificateParams;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::testing::{Made, expired, streams};
use super::*;
use crate::door::lines::Signaling;
use crate::door::signal::Signal;

/// The messages of a caller and of a listening end about a handshake.
async fn handshake(calling: &Tls, listening: &Tls, address: &str) -> (String, String) {
    let (ours, theirs) = streams().await;
    let (ours, theirs) =
        tokio::join!(calling.call(ours, address, Kind::Webrtc), async { listening.accept(theirs).await });
    let said = |outcome: Result<Socket, TlsError>| outcome.map_or_else(|wrong| wrong.to_string(), |_| "open".into());
    (said(ours), said(theirs))
}

#[tokio::test]
async fn a_certificate_of_the_authority_for_this_host_opens() {
    let made = Made::new();
    for (host, address) in [("127.0.0.1", "127.0.0.1:1"), ("localhost", "localhost:1"), ("::1", "[::1]:1")] {
        let listening = made.certificate(host, true, |_| ());
        assert_eq!(handshake(&made.trusting("authority"), &listening, address).await.0, "open", "{host}");
    }
    let itself = made.certificate("localhost", false, |_| ());
    let opened = handshake(&made.trusting("certificate"), &itself, "localhost:1").await;
    assert_eq!(opened.0, "open", "a self-signed one in the caller's file");
}

#[tokio::test]
async fn an_invalid_certificate_is_refused_with_the_reason_at_both_ends() {
    type Change = fn(&mut CertificateParams);
    fn later(params: &mut CertificateParams) {
        params.not_before = rcgen::date_time_ymd(2999, 1, 1);
        params.not_after = rcgen::date_time_ymd(3000, 1, 1);
    }
    fn authority(params: &mut CertificateParams) {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    }
    let made = Made::new();
    for (host, is_signed, change, said) in [
        ("localhost", true, expired as Change, "has expired"),
        ("localhost", true, later, "is not valid yet"),
        ("localhost", false, |_| (), "is not signed by one in the file of --tls-ca"),
        ("elsewhere.example", true, |_| (), "is not for localhost, but for DnsName(\"elsewhere.example\")"),
        ("192.0.2.7", true, |_| (), "is not for localhost"),
        ("localhost", false, authority, "may only sign others"),
    ] {
        let listening = made.certificate(host, is_signed, change);
        let (ours, theirs) = handshake(&made.trusting("authority"), &listening, "localhost:1").await;
        assert!(ours.contains(said), "{ours}");
        assert!(theirs.contains("does not accept this certificate"), "{theirs}");
    }
}

#[tokio::test]
async fn a_tls_call_to_a_plain_end_and_a_plain_answer_to_tls_have_clear_errors() {
    let made = Made::new();
    let (ours, theirs) = handshake(&made.trusting("authority"), &Tls::default(), "localhost:1").await;
    assert!(ours.contains("refused TLS (HandshakeFailure): does it have a certificate"), "{ours}");
    assert!(theirs.contains("this end has no certificate: give it --tls-cert"), "{theirs}");

    let (ours, mut theirs) = streams().await;
    theirs.write_all(b"{\"type\":\"offer\",\"sdp\":\"\"}\n").await.unwrap();
    let wrong = made.trusting("authority").call(ours, "localhost:1", Kind::Webrtc).await.unwrap_err();
    assert!(matches!(wrong, TlsError::NotTls) && !wrong.may_pass(), "{wrong}");

    let (ours, theirs) = streams().await;
    drop(theirs);
    let wrong = made.trusting("authority").call(ours, "localhost:1", Kind::Webrtc).await.unwrap_err();
    assert!(wrong.may_pass(), "a peer that is still starting: {wrong}");
}

#[tokio::test(start_paused = true)]
async fn a_stalled_handshake_times_out() {
    let made = Made::new();
    let listening = made.certificate("localhost", true, |_| ());
    let (mut ours, theirs) = streams().await;
    ours.write_all(&[0x16, 3, 1]).await.unwrap();
    assert!(matches!(listening.accept(theirs).await, Err(TlsError::Silence(_))));
}

#[tokio::test]
async fn bytes_that_are_not_a_handshake_are_refused_with_an_alert() {
    let made = Made::new();
    let listening = made.certificate("localhost", true, |_| ());
    let (mut ours, theirs) = streams().await;
    ours.write_all(&[0x16; 100]).await.unwrap();
    assert!(matches!(listening.accept(theirs).await, Err(TlsError::Failed(_))));
    let mut said = [0; 7];
    ours.read_exact(&mut said).await.unwrap();
    assert_eq!(said[0], 21, "an alert");
}

#[tokio::test]
async fn lines_work_inside_tls_as_in_the_clear() {
    let (ours, theirs) = testing::sockets(Kind::Webrtc).await;
    assert!(ours.is_encrypted() && theirs.is_encrypted());
    let (mut ours, mut theirs) = (Signaling::new(ours), Signaling::new(theirs));
    ours.send(&Signal::Ping {}).await.unwrap();
    assert_eq!(theirs.receive().await.unwrap(), Signal::Ping {});
    theirs.send(&Signal::GOODBYE).await.unwrap();
    drop(theirs);
    assert_eq!(ours.receive().await.unwrap(), Signal::GOODBYE);
    assert!(ours.receive().await.is_err(), "the end");
}

#[test]
fn the_errors_of_wrong_files_say_what_would_be_right() {
    let made = Made::new();
    made.certificate("localhost", true, |_| ());
    std::fs::copy(made.path("key"), made.path("other key")).unwrap();
    made.certificate("localhost", true, |_| ());
    let pair = |certificate: &str, key: &str| {
        Certificate::new(pem::certificates(&made.path(certificate))?, pem::key(&made.path(key))?)
    };
    assert!(pair("certificate", "key").is_ok());
    let said = |wrong: Result<Certificate, TlsFileError>| wrong.unwrap_err().to_string();
    assert!(said(pair("certificate", "other key")).contains("not the key of the certificate"));
    assert!(said(pair("key", "key")).contains("holds no certificate in PEM form"));
    assert!(said(pair("certificate", "certificate")).contains("holds no private key in PEM form"));
    assert!(said(pair("missing", "key")).contains("No such file"));
    assert!(said(pair("certificate", "missing")).contains("No such file"));
    let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    made.write("damaged", damaged);
    assert!(said(pair("damaged", "key")).contains("cannot be used"));
    assert!(Authority::read(&made.path("damaged")).is_err());
    made.write("large", &"x".repeat(2 << 20));
    assert!(said(pair("large", "key")).contains("larger than 1 MiB"));
    made.write("empty", "");
    assert!(Authority::read(&made.path("empty")).unwrap_err().to_string().contains("holds no certificate"));
}
