//! Metadata: what else the source knows about its stream or about a frame.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::encode;
use super::outline::META_LIMIT;

/// Metadata: names and plain values.
pub type Meta = BTreeMap<String, MetaValue>;

/// A value in metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum MetaValue {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A real number.
    Real(f64),
    /// Text.
    Text(String),
}

impl fmt::Display for MetaValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Real(value) => value.fmt(f),
            Self::Text(value) => f.write_str(value),
        }
    }
}

/// Maximum number of keys in a stream's metadata: each then has 64 of the [`META_LIMIT`] bytes, enough for a name and a
/// value.
pub const META_KEYS: usize = 64;

/// A stream's metadata is over a limit.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MetaTooLarge {
    /// Too many keys.
    #[error("metadata of {0} keys: at most {META_KEYS} are allowed")]
    Keys(usize),
    /// Too many bytes.
    #[error("metadata of {0} bytes: at most {META_LIMIT} are allowed")]
    Bytes(usize),
}

/// Checks the size of a stream's metadata.
///
/// # Errors
/// [`MetaTooLarge`] says how large it is and what would be allowed.
pub fn check_meta(meta: &Meta) -> Result<(), MetaTooLarge> {
    if meta.len() > META_KEYS {
        return Err(MetaTooLarge::Keys(meta.len()));
    }
    let mut bytes = Vec::new();
    // invariant: writing to memory cannot fail, and names and plain values have a form in MessagePack.
    encode(meta, &mut bytes).expect("names and plain values");
    if bytes.len() <= META_LIMIT { Ok(()) } else { Err(MetaTooLarge::Bytes(bytes.len())) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::encoding::StreamEncoding;
    use crate::protocol::message::{Control, Delivery, Hello, Role, Stream, control_bytes, decode_control};

    /// Metadata with every kind of value, within the limits.
    fn metadata() -> impl Strategy<Value = Meta> {
        let value = prop_oneof![
            any::<bool>().prop_map(MetaValue::Bool),
            any::<i64>().prop_map(MetaValue::Integer),
            (proptest::num::f64::NORMAL | proptest::num::f64::ZERO).prop_map(MetaValue::Real),
            ".{0,10}".prop_map(MetaValue::Text),
        ];
        proptest::collection::btree_map("[A-Za-z0-9_.-]{1,12}", value, 0..=META_KEYS)
    }

    fn hello(meta: Option<Meta>) -> Control {
        let stream = Stream {
            width: 64,
            height: 48,
            pixel: crate::image::PixelFormat::Gray8,
            rate_hz: None,
            window: 8,
            delivery: Delivery::Reliable,
            lifetime_us: None,
            deadline_us: None,
            encoding: StreamEncoding::Raw,
            task: "ack".into(),
            meta,
        };
        let (name, version, role) = ("s".into(), "1".into(), Role::Source);
        Control::Hello(Hello {
            protocol: 1,
            name,
            version,
            session: 1,
            role,
            stream: Some(stream),
            features: Vec::new(),
            pull: false,
        })
    }

    proptest! {
        #[test]
        fn metadata_comes_back_as_it_was_written(meta in metadata()) {
            prop_assert_eq!(check_meta(&meta), Ok(()));
            let sent = hello(Some(meta));
            let received = decode_control(&control_bytes(&sent).unwrap()).unwrap();
            prop_assert_eq!(received, sent);
        }
    }

    fn of_keys(count: usize, text: &str) -> Meta {
        (0..count).map(|key| (format!("k{key}"), MetaValue::Text(text.into()))).collect()
    }

    #[test]
    fn metadata_over_a_limit_is_refused_with_its_size() {
        assert_eq!(check_meta(&Meta::new()), Ok(()));
        assert_eq!(check_meta(&of_keys(64, "")), Ok(()));
        assert_eq!(check_meta(&of_keys(65, "")), Err(MetaTooLarge::Keys(65)));
        // A map of one (1 byte), a name of 2 letters (3 bytes) and the head of a long text (3 bytes).
        assert_eq!(check_meta(&of_keys(1, &"x".repeat(4096 - 7))), Ok(()));
        let wrong = check_meta(&of_keys(1, &"x".repeat(4096 - 6))).unwrap_err();
        assert_eq!(wrong.to_string(), "metadata of 4097 bytes: at most 4096 are allowed");
    }
}
