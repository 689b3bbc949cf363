use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A receiver on loopback that gives these answers, one a connection, and returns what it was sent.
async fn receiver(answers: &'static [&'static str]) -> (u16, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0, "the request is cut off");
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            requests.push(String::from_utf8(request).unwrap());
        }
        requests
    });
    (port, requests)
}

/// A message.
fn message() -> Message {
    Message {
        id: "evt_1".to_owned(),
        sent_at_seconds: 1_800_000_000,
        signature: "v1,abc".to_owned(),
        body: Bytes::from_static(br#"{"type":"domain.verified"}"#),
    }
}

#[tokio::test]
async fn a_message_comes_with_its_headers_and_2xx_alone_is_delivery() {
    let (port, requests) = receiver(&[
        "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 500 Oops\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 429 Slow\r\nconnection: close\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 410 Gone\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        "not HTTP",
    ])
    .await;
    let courier = Courier::new(AddressPolicy::allowing_special()).unwrap();
    let url = format!("http://localhost:{port}/hook?a=b");
    let status = |status, retry_after: Option<i64>| {
        Err(Undelivered::Status { status, retry_after: retry_after.map(SignedDuration::from_secs) })
    };
    for expected in [Ok(()), status(500, None), status(429, Some(120)), Err(Undelivered::Gone), status(302, None)] {
        assert_eq!(courier.deliver(&url, &message()).await, expected);
    }
    assert!(matches!(courier.deliver(&url, &message()).await, Err(Undelivered::Unreachable(_))));
    let requests = requests.await.unwrap();
    let request = &requests[0];
    for part in [
        "POST /hook?a=b HTTP/1.1\r\n",
        "content-type: application/json\r\n",
        "webhook-id: evt_1\r\n",
        "webhook-timestamp: 1800000000\r\n",
        "webhook-signature: v1,abc\r\n",
        "\r\n\r\n{\"type\":\"domain.verified\"}",
    ] {
        assert!(request.contains(part), "{part:?} in {request}");
    }
}

#[tokio::test]
async fn nothing_private_is_reached_by_address_or_by_name() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let courier = Courier::new(AddressPolicy::public()).unwrap();
    for (url, told) in [
        (format!("https://127.0.0.1:{port}/"), "127.0.0.1 is not an address of the Internet"),
        (format!("https://[::1]:{port}/"), "::1 is not an address of the Internet"),
        (format!("http://localhost:{port}/"), "not https"),
        (format!("https://localhost:{port}/"), "which is not an address of the Internet"),
        // The operating system reads these as 127.0.0.1.
        (format!("https://2130706433:{port}/"), ""),
        (format!("https://0x7f.1:{port}/"), ""),
    ] {
        let error = courier.deliver(&url, &message()).await.unwrap_err().to_string();
        assert!(error.contains(told), "{url}: {error}");
    }
    let nobody = futures::poll!(std::pin::pin!(listener.accept()));
    assert!(nobody.is_pending(), "somebody came");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_gets_no_message() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = vec![0; 4096];
        let length = stream.read(&mut hello).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        hello.truncate(length);
        hello
    });
    let courier = Courier::new(AddressPolicy::allowing_special()).unwrap();
    let error = courier.deliver(&format!("https://localhost:{port}/"), &message()).await.unwrap_err();
    assert!(matches!(error, Undelivered::Unreachable(_)), "{error}");
    let hello = server.await.unwrap();
    assert!(!hello.windows(7).any(|part| part == b"webhook"), "the message was sent in the clear");
}

#[tokio::test]
async fn a_reply_without_end_holds_nothing_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        assert_ne!(stream.read(&mut request).await.unwrap(), 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        while stream.write_all(&[b'x'; 1024]).await.is_ok() {}
    });
    let courier = Courier::new(AddressPolicy::allowing_special()).unwrap();
    assert_eq!(courier.deliver(&format!("http://127.0.0.1:{port}/"), &message()).await, Ok(()));
}

#[tokio::test]
async fn a_silent_receiver_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let courier = Courier::new(AddressPolicy::allowing_special()).unwrap();
    let url = format!("http://127.0.0.1:{port}/");
    let message = message();
    let mut attempt = std::pin::pin!(courier.deliver(&url, &message));
    // The connection comes about in real time; only then does time pass at once.
    let connection = tokio::select! {
        _ = &mut attempt => panic!("nobody answered yet"),
        accepted = listener.accept() => accepted.unwrap(),
    };
    tokio::time::pause();
    assert_eq!(attempt.await, Err(Undelivered::TimedOut));
    drop(connection);
}
