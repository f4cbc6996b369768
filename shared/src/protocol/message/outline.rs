//! What a frame message holds, looked at without decoding it: what decodes it must not meet more than a frame has.

use rmp::Marker;

use super::DecodeError;

/// The most a frame's `meta` takes, in bytes as it is written: a hundred names with a number each. (Decoded unbounded, an
/// array of 60 MB took 3.5 GB.)
pub const META_LIMIT: usize = 4 << 10;

/// The most a frame message takes beside its pixels, in bytes: ids, names, metadata, and fields of later versions.
pub const FRAME_OVERHEAD: usize = 64 << 10;

/// Checks that a message has no more beside its pixels than a frame has.
///
/// The time it takes is bounded too: pixels are passed over in one step, everything else is part of [`FRAME_OVERHEAD`].
/// What ends early or is no map is left to the decoder, which says so.
pub(super) fn check(bytes: &[u8]) -> Result<(), DecodeError> {
    let mut reader = Reader(bytes);
    let Some(fields) = reader.map() else { return Ok(()) };
    let mut room = FRAME_OVERHEAD;
    for _ in 0..fields {
        let before = reader.0.len();
        let name = reader.name()?;
        let is_pixels = name == b"data" && reader.pixels().is_some();
        let (limit, too_long) = match name {
            b"meta" => (META_LIMIT, DecodeError::MetaTooLong),
            _ => (room, DecodeError::BesideTooLong),
        };
        if !is_pixels && reader.skip_within(limit).is_none() {
            return if reader.0.len() > limit { Err(too_long) } else { Ok(()) };
        }
        let taken = if is_pixels { name.len() } else { before - reader.0.len() };
        room = room.checked_sub(taken).ok_or(DecodeError::BesideTooLong)?;
    }
    Ok(())
}

/// The id of a frame message, also of one that cannot be used: who sent it waits for an answer.
pub fn frame_id(bytes: &[u8]) -> Option<u64> {
    let mut reader = Reader(bytes);
    let (mut is_frame, mut id) = (false, None);
    for _ in 0..reader.map()? {
        match reader.name().ok()? {
            b"type" => is_frame = reader.text()? == b"frame",
            b"id" => id = Some(reader.whole_number()?),
            b"data" if reader.pixels().is_some() => {}
            _ => reader.skip_within(FRAME_OVERHEAD)?,
        }
        if is_frame && id.is_some() {
            break;
        }
    }
    id.filter(|_| is_frame)
}

/// What is left of a message. Nothing is taken by a method that gives nothing.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// How many fields a map has.
    fn map(&mut self) -> Option<u64> {
        self.try_read(|reader| match reader.marker()? {
            Marker::FixMap(fields) => Some(u64::from(fields)),
            Marker::Map16 => reader.number(2),
            Marker::Map32 => reader.number(4),
            _ => None,
        })
    }

    /// A field's name. The decoder would take numbers and bytes for names too.
    fn name(&mut self) -> Result<&'a [u8], DecodeError> {
        let wrong = || rmp_serde::decode::Error::Syntax("a field's name is no text".into());
        Ok(self.text().ok_or_else(wrong)?)
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        self.try_read(|reader| {
            let length = match reader.marker()? {
                Marker::FixStr(length) => u64::from(length),
                Marker::Str8 => reader.number(1)?,
                Marker::Str16 => reader.number(2)?,
                Marker::Str32 => reader.number(4)?,
                _ => return None,
            };
            reader.take(length)
        })
    }

    /// Bytes of any number.
    fn pixels(&mut self) -> Option<&'a [u8]> {
        self.try_read(|reader| {
            let length = match reader.marker()? {
                Marker::Bin8 => reader.number(1)?,
                Marker::Bin16 => reader.number(2)?,
                Marker::Bin32 => reader.number(4)?,
                _ => return None,
            };
            reader.take(length)
        })
    }

    fn whole_number(&mut self) -> Option<u64> {
        self.try_read(|reader| match reader.marker()? {
            Marker::FixPos(number) => Some(u64::from(number)),
            Marker::U8 => reader.number(1),
            Marker::U16 => reader.number(2),
            Marker::U32 => reader.number(4),
            Marker::U64 => reader.number(8),
            _ => None,
        })
    }

    /// Passes over one value, whatever is in it, of at most so many bytes.
    fn skip_within(&mut self, limit: usize) -> Option<()> {
        let mut within = Self(&self.0[..limit.min(self.0.len())]);
        let all = within.0.len();
        // Counted, not nested: depth costs nothing.
        let mut values = 1u64;
        while values > 0 {
            values = values - 1 + within.step()?;
        }
        self.0 = &self.0[all - within.0.len()..];
        Some(())
    }

    /// Passes over a value without what it contains; how many values that are.
    fn step(&mut self) -> Option<u64> {
        let (bytes, values) = match self.marker()? {
            Marker::Null | Marker::True | Marker::False | Marker::Reserved => (0, 0),
            Marker::FixPos(_) | Marker::FixNeg(_) => (0, 0),
            Marker::U8 | Marker::I8 => (1, 0),
            Marker::U16 | Marker::I16 => (2, 0),
            Marker::U32 | Marker::I32 | Marker::F32 => (4, 0),
            Marker::U64 | Marker::I64 | Marker::F64 => (8, 0),
            Marker::FixStr(length) => (u64::from(length), 0),
            Marker::Str8 | Marker::Bin8 => (self.number(1)?, 0),
            Marker::Str16 | Marker::Bin16 => (self.number(2)?, 0),
            Marker::Str32 | Marker::Bin32 => (self.number(4)?, 0),
            Marker::FixArray(values) => (0, u64::from(values)),
            Marker::Array16 => (0, self.number(2)?),
            Marker::Array32 => (0, self.number(4)?),
            Marker::FixMap(fields) => (0, 2 * u64::from(fields)),
            Marker::Map16 => (0, 2 * self.number(2)?),
            Marker::Map32 => (0, 2 * self.number(4)?),
            // A type of one byte stands before an extension's data.
            Marker::FixExt1 => (2, 0),
            Marker::FixExt2 => (3, 0),
            Marker::FixExt4 => (5, 0),
            Marker::FixExt8 => (9, 0),
            Marker::FixExt16 => (17, 0),
            Marker::Ext8 => (1 + self.number(1)?, 0),
            Marker::Ext16 => (1 + self.number(2)?, 0),
            Marker::Ext32 => (1 + self.number(4)?, 0),
        };
        self.take(bytes).map(|_| values)
    }

    fn marker(&mut self) -> Option<Marker> {
        Some(Marker::from_u8(self.take(1)?[0]))
    }

    /// A number of so many bytes, at most 8.
    fn number(&mut self, bytes: u64) -> Option<u64> {
        Some(self.take(bytes)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn take(&mut self, bytes: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(bytes).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    fn try_read<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.0;
        let read = read(self);
        if read.is_none() {
            self.0 = before;
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::decode_frame;
    use super::super::tests::bytes;
    use super::*;

    /// A frame message of 2x1 pixels with further fields; `data` as the bytes it is.
    fn frame(further: &Value) -> Vec<u8> {
        let mut map = bytes(&json!({
            "type": "frame", "id": 7, "captured_us": 1, "width": 2, "height": 1, "pixel": "gray8", "encoding": "raw"}));
        map.extend([&b"\xa4data\xc4\x02"[..], &[1, 2]].concat());
        let mut fields = 8;
        for (name, value) in further.as_object().unwrap() {
            map.extend(bytes(name));
            map.extend(bytes(value));
            fields += 1;
        }
        map[0] = 0x80 | fields;
        map
    }

    #[test]
    fn metadata_up_to_the_limit_is_read_and_more_is_refused() {
        let with = |length: usize| frame(&json!({"meta": {"a": "x".repeat(length)}}));
        // Map 1, name 2, text 3 bytes with its length.
        assert!(decode_frame(&with(META_LIMIT - 6)).is_ok());
        assert!(matches!(decode_frame(&with(META_LIMIT - 5)), Err(DecodeError::MetaTooLong)));
    }

    #[test]
    fn an_array_in_the_metadata_is_refused_before_it_is_decoded() {
        let list = frame(&json!({"meta": {"a": vec![0; 60_000]}}));
        assert!(matches!(decode_frame(&list), Err(DecodeError::MetaTooLong)));
        // A claim of 2^32 - 1 entries with nothing behind it.
        let mut claim = frame(&json!({"meta": 0}));
        claim.pop();
        claim.extend([0xdf, 0xff, 0xff, 0xff, 0xff]);
        assert!(matches!(decode_frame(&claim), Err(DecodeError::Malformed(_))));
        claim.extend([0; META_LIMIT]);
        assert!(matches!(decode_frame(&claim), Err(DecodeError::MetaTooLong)));
    }

    #[test]
    fn further_fields_are_passed_over_within_the_room_beside_the_pixels() {
        assert!(decode_frame(&frame(&json!({"later": vec![0; 60_000]}))).is_ok());
        let further = frame(&json!({"later": vec![0; 40_000], "more": vec![0; 40_000]}));
        assert!(matches!(decode_frame(&further), Err(DecodeError::BesideTooLong)));
        let listed = json!({"type": "frame", "id": 7, "data": vec![0; 70_000]});
        assert!(matches!(decode_frame(&bytes(&listed)), Err(DecodeError::BesideTooLong)));
    }

    #[test]
    fn a_field_named_by_a_number_is_refused() {
        let mut named = frame(&json!({}));
        named[0] += 1;
        named.extend([7, 0xc0]);
        assert!(matches!(decode_frame(&named), Err(DecodeError::Malformed(_))));
    }

    #[test]
    fn the_id_of_a_frame_that_cannot_be_used_is_read() {
        assert_eq!(frame_id(&frame(&json!({"meta": {"a": vec![0; 60_000]}}))), Some(7));
        assert_eq!(
            frame_id(&bytes(&json!({"id": 300, "data": [1, 2], "type": "frame", "pixel": "gray16"}))),
            Some(300)
        );
        assert_eq!(frame_id(&bytes(&json!({"id": 3, "type": "answer"}))), None);
        assert_eq!(frame_id(&bytes(&json!({"id": "3", "type": "frame"}))), None);
        assert_eq!(frame_id(&bytes(&json!({"type": "frame"}))), None);
        assert_eq!(frame_id(b"\x93\x01\x02\x03"), None);
    }

    /// Values of every type MessagePack has, nested.
    fn any_value() -> impl Strategy<Value = Vec<u8>> {
        let leaf = prop_oneof![
            Just(vec![0xc0]),
            any::<i64>().prop_map(|number| bytes(&number)),
            any::<u64>().prop_map(|number| bytes(&number)),
            any::<f32>().prop_map(|number| bytes(&number)),
            any::<f64>().prop_map(|number| bytes(&number)),
            any::<bool>().prop_map(|value| bytes(&value)),
            "[a-z]{0,40}".prop_map(|text| bytes(&text)),
            proptest::collection::vec(any::<u8>(), 0..300).prop_map(|data| bytes(&serde_bytes::Bytes::new(&data))),
            Just(vec![0xd6, 1, 2, 3, 4, 5]),
            Just(vec![0xc7, 3, 1, 2, 3, 4]),
        ];
        leaf.prop_recursive(4, 64, 20, |inner| {
            proptest::collection::vec(inner, 0..20).prop_map(|values| {
                let mut array = Vec::new();
                rmp::encode::write_array_len(&mut array, values.len() as u32).unwrap();
                array.extend(values.concat());
                array
            })
        })
    }

    proptest! {
        #[test]
        fn a_value_is_passed_over_to_its_last_byte_and_no_further(value in any_value(), after in 0usize..4) {
            let message = [&value[..], &vec![0xc0; after]].concat();
            let mut reader = Reader(&message);
            prop_assert_eq!(reader.skip_within(value.len()), Some(()));
            prop_assert_eq!(reader.0.len(), after);
            prop_assert_eq!(Reader(&message).skip_within(value.len() - 1), None);
            prop_assert_eq!(Reader(&value[..value.len() - 1]).skip_within(usize::MAX), None);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = check(&bytes);
            let _ = frame_id(&bytes);
        }
    }
}
