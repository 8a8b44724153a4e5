//! MQTT 3.1.1, by its own protocol.

use wharf_testkit::eventually;
use wharf_testkit::services::Mqtt;

use crate::wire::Wire;

/// CONNECT with a clean session and the client's name `test`.
const CONNECT: &[u8] = b"\x10\x10\0\x04MQTT\x04\x02\0\x3c\0\x04test";
/// The same with the user `user` and the password `word`.
const CONNECT_AS_USER: &[u8] = b"\x10\x1c\0\x04MQTT\x04\xc2\0\x3c\0\x04test\0\x04user\0\x04word";
const ACCEPTED: &[u8] = b"\x20\x02\0\0";
const REFUSED: &[u8] = b"\x20\x02\0\x05";
/// PUBLISH of `hello` to `t`, retained, at least once; its acknowledgement.
const PUBLISH: &[u8] = b"\x33\x0a\0\x01t\0\x01hello";
const PUBLISHED: &[u8] = b"\x40\x02\0\x01";
/// SUBSCRIBE to `t`.
const SUBSCRIBE: &[u8] = b"\x82\x06\0\x02\0\x01t\0";

#[test]
fn keeps_retained_messages_when_it_is_killed() {
    let Some(mqtt) = Mqtt::start() else { return };
    let mut client = Wire::to(mqtt.port());
    client.ask(CONNECT, ACCEPTED);
    client.ask(PUBLISH, PUBLISHED);
    // It saves after it has answered.
    eventually("the saved message", || mqtt.folder().join("mosquitto.db").exists().then_some(()));
    mqtt.kill();
    assert!(client.is_broken());
    mqtt.restart();
    let mut client = Wire::to(mqtt.port());
    client.ask(CONNECT, ACCEPTED);
    assert!(client.ask(SUBSCRIBE, "hello").contains("hello"));
}

#[test]
fn lets_in_only_with_the_password() {
    let Some(mqtt) = Mqtt::options().login("user", "word").setting("max_packet_size 1024").start() else { return };
    Wire::to(mqtt.port()).ask(CONNECT, REFUSED);
    Wire::to(mqtt.port()).ask(CONNECT_AS_USER, ACCEPTED);
    mqtt.stop();
    assert!(!mqtt.is_alive());
}
