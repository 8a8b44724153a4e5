//! Messages and topics as MQTT has them.

use crate::Message;
use bytes::Bytes;
use rumqttc::{Publish, PublishProperties, QoS};

/// Returns the topic that a subject is there. It has no `/`, so that no two subjects become one.
pub(super) fn topic(subject: &str) -> String {
    subject.replace('.', "/")
}

/// Returns the subject that a topic is; nothing for one that is no text, or that no subject becomes.
pub(super) fn subject(topic: &Bytes) -> Option<String> {
    let topic = std::str::from_utf8(topic).ok()?;
    (!topic.contains('.')).then(|| topic.replace('/', "."))
}

/// Returns the pattern that a pattern of subjects is there, or one that fits a little more: `a/#` fits `a` too.
pub(super) fn pattern(pattern: &str) -> String {
    let part = |part| match part {
        "*" => "+",
        ">" => "#",
        part => part,
    };
    pattern.split('.').map(part).collect::<Vec<_>>().join("/")
}

pub(super) fn publish(topic: String, message: &Message) -> Publish {
    let is_plain = message.content_type.is_none() && message.metadata.is_empty();
    let properties = (!is_plain).then(|| PublishProperties {
        content_type: message.content_type.clone(),
        user_properties: message.metadata.clone(),
        ..PublishProperties::default()
    });
    Publish::new(topic, QoS::AtLeastOnce, message.data.clone(), properties)
}

pub(super) fn received(publish: Publish) -> Message {
    let properties = publish.properties.unwrap_or_default();
    let content_type = properties.content_type;
    Message { content_type, ..Message::received(publish.payload, properties.user_properties) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_and_patterns_have_one_spelling() {
        assert_eq!(topic("shop.orders.a$.b"), "shop/orders/a$/b");
        assert_eq!(subject(&Bytes::from_static(b"shop/orders/a")).as_deref(), Some("shop.orders.a"));
        assert_eq!(subject(&Bytes::from_static(b"shop/orders.a")), None);
        assert_eq!(subject(&Bytes::from_static(b"shop/\xff")), None);
        assert_eq!(pattern("shop.orders.*.b.>"), "shop/orders/+/b/#");
        assert_eq!(pattern(">"), "#");
    }
}
