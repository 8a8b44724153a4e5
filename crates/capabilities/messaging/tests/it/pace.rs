//! A server of MQTT in the test's hands, that takes its time and sees what it is told.

use crate::fixture::{Backend, LONG, next, send, subscribe};
use futures_util::future::try_join_all;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use wharf_messaging::{Error, Message};

// The first bytes of packets.
const CONNECT: u8 = 0x10;
const PUBLISH: u8 = 0x32;
const PUBACK: u8 = 0x40;
const SUBSCRIBE: u8 = 0x82;
const PINGREQ: u8 = 0xc0;

/// The messages of a test.
const MESSAGES: u8 = 25;

async fn listen() -> (TcpListener, Backend) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = format!("url = \"mqtt://{}\"\nresponse_timeout = \"1s\"\n", listener.local_addr().unwrap());
    (listener, Backend { name: "mqtt", settings, has_metadata: true, has_requests: true, server: None })
}

/// Returns the next packet's first byte and the rest.
async fn packet(client: &mut TcpStream) -> (u8, Vec<u8>) {
    let kind = client.read_u8().await.unwrap();
    let (mut length, mut shift) = (0, 0);
    loop {
        let byte = client.read_u8().await.unwrap();
        length |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            break;
        }
    }
    let mut rest = vec![0; length];
    client.read_exact(&mut rest).await.unwrap();
    (kind, rest)
}

/// Serves one client. Waits before it takes each message, sends messages to who subscribes, and returns the numbers of those when
/// all are acknowledged.
async fn serve(listener: &TcpListener, pause: Duration) -> Vec<u8> {
    let mut client = listener.accept().await.unwrap().0;
    let mut acknowledged = Vec::new();
    while acknowledged.len() < usize::from(MESSAGES) {
        let (kind, rest) = packet(&mut client).await;
        let answer = match kind {
            CONNECT => vec![0x20, 3, 0, 0, 0],
            PINGREQ => vec![0xd0, 0],
            PUBLISH => {
                sleep(pause).await;
                let number = 2 + usize::from(rest[1]);
                vec![PUBACK, 2, rest[number], rest[number + 1]]
            }
            SUBSCRIBE => {
                let topic = b"shop/orders/a";
                let mut packets = vec![0x90, 4, rest[0], rest[1], 0, 1];
                for number in 1..=MESSAGES {
                    packets.extend([PUBLISH, 18, 0, 13]);
                    packets.extend(topic);
                    packets.extend([0, number, 0]);
                }
                packets
            }
            PUBACK => {
                acknowledged.push(rest[1]);
                Vec::new()
            }
            other => panic!("a packet {other:#x}: {rest:?}"),
        };
        client.write_all(&answer).await.unwrap();
    }
    acknowledged
}

#[tokio::test]
async fn mqtt_calls_wait_as_long_as_the_server_takes_others() {
    let (listener, backend) = listen().await;
    let messenger = backend.messenger();
    // Together they take longer than the server may take for one.
    let sends = try_join_all((0..MESSAGES).map(|_| send(&messenger, "a", Message::new("x"))));
    let sent: Result<_, Error> = tokio::select! {
        sent = sends => sent,
        _ = serve(&listener, Duration::from_millis(100)) => unreachable!("nobody subscribes"),
    };
    sent.unwrap();
}

#[tokio::test]
async fn mqtt_messages_are_acknowledged_in_order_and_all_of_them() {
    let (listener, backend) = listen().await;
    let messenger = backend.messenger();
    let receive = async {
        let mut subscription = subscribe(&messenger, "a").await;
        let mut got = Vec::new();
        for _ in 0..MESSAGES {
            got.push(next(&mut subscription).await);
        }
        // The newest first, and all before the client has a turn.
        while got.pop().is_some() {}
        subscription
    };
    let both = async { tokio::join!(serve(&listener, Duration::ZERO), receive) };
    let (acknowledged, _subscription) = timeout(LONG, both).await.expect("the server hears of all");
    assert_eq!(acknowledged, (1..=MESSAGES).collect::<Vec<_>>());
}
