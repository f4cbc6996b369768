//! What is kept of a file's schemas and channels: of each id the first, because all records of an id are the same.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::message::Kind;
use crate::recording::container::ContainerError;
use crate::recording::described::Described;
use crate::recording::record::{Channel, Schema};

/// Schemas and channels of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Names of the schemas, by their ids.
    schemas: BTreeMap<u16, String>,
    /// Channels, by their ids.
    channels: BTreeMap<u16, Kept>,
    described: Described,
}

/// What is kept of a channel.
#[derive(Clone, Debug)]
struct Kept {
    schema_id: u16,
    topic: String,
    encoding: String,
}

/// A channel with the name of its schema, which is empty if it is not known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct KnownChannel<'a> {
    pub(super) topic: &'a str,
    pub(super) schema: &'a str,
    /// How its images are encoded; `None` if it has none that can be read.
    pub(super) kind: Option<Kind>,
}

impl Known {
    /// Adds a schema, unless there is one with its id.
    ///
    /// # Errors
    /// [`ContainerError::Described`] if the file has too many.
    pub(super) fn add_schema(&mut self, schema: Schema) -> Result<(), ContainerError> {
        if let Entry::Vacant(place) = self.schemas.entry(schema.id) {
            self.described.add(schema.name.len())?;
            place.insert(schema.name);
        }
        Ok(())
    }

    /// Adds a channel, unless there is one with its id.
    ///
    /// # Errors
    /// [`ContainerError::Described`] if the file has too many.
    pub(super) fn add_channel(&mut self, channel: Channel) -> Result<(), ContainerError> {
        let Channel { id, schema_id, topic, encoding, .. } = channel;
        if let Entry::Vacant(place) = self.channels.entry(id) {
            self.described.add(topic.len() + encoding.len())?;
            place.insert(Kept { schema_id, topic, encoding });
        }
        Ok(())
    }

    /// Whether there is a channel.
    pub(super) fn has_channels(&self) -> bool {
        !self.channels.is_empty()
    }

    /// The ids of the channels.
    pub(super) fn ids(&self) -> impl Iterator<Item = u16> {
        self.channels.keys().copied()
    }

    /// The channel with this id.
    pub(super) fn channel(&self, id: u16) -> Option<KnownChannel<'_>> {
        let Kept { schema_id, topic, encoding } = self.channels.get(&id)?;
        let schema = self.schemas.get(schema_id).map_or("", String::as_str);
        Some(KnownChannel { topic, schema, kind: Kind::of(schema, encoding) })
    }

    /// Topics with the kind of their images; `None` for other topics, with the name of their schema.
    pub(super) fn topics(&self) -> BTreeMap<&str, (Option<Kind>, &str)> {
        let mut topics = BTreeMap::new();
        for KnownChannel { topic, schema, kind } in self.ids().filter_map(|id| self.channel(id)) {
            let known = topics.entry(topic).or_insert((kind, schema));
            known.0 = known.0.or(kind);
        }
        topics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(id: u16, topic: &str) -> Channel {
        Channel { id, schema_id: 1, topic: topic.into(), encoding: "cdr".into(), metadata: BTreeMap::new() }
    }

    fn image() -> Schema {
        Schema { id: 1, name: "sensor_msgs/msg/Image".into(), encoding: String::new(), data: Vec::new() }
    }

    #[test]
    fn records_that_are_repeated_without_end_take_no_memory() {
        let mut known = Known::default();
        for _ in 0..1_000_000 {
            known.add_channel(channel(7, "/left")).unwrap();
            known.add_schema(image()).unwrap();
        }
        assert_eq!((known.channels.len(), known.schemas.len()), (1, 1));
        let found = known.channel(7).unwrap();
        assert_eq!((found.topic, found.schema), ("/left", "sensor_msgs/msg/Image"));
        assert!(found.kind.is_some() && known.topics()["/left"].0.is_some());
    }

    #[test]
    fn topics_whose_names_are_too_long_together_are_refused() {
        let mut known = Known::default();
        let long = "t".repeat(1 << 20);
        let kept = (0..200).take_while(|id| known.add_channel(channel(*id, &long)).is_ok()).count();
        assert_eq!(kept, 63);
        assert!(known.add_schema(Schema { id: 9, name: long, ..image() }).is_err());
    }
}
