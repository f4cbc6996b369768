//! The outline of a frame message, read without decoding it. It bounds what the decoder must handle.

use rmp::Marker;

use super::DecodeError;

/// Largest `meta` of a frame, in encoded bytes: a hundred names with a number each. (Without a limit, decoding an array
/// of 60 MB took 3.5 GB.)
pub const META_LIMIT: usize = 4 << 10;

/// Maximum number of bytes of a frame message in addition to its pixels: ids, names, metadata, and fields of later
/// versions.
pub const FRAME_OVERHEAD: usize = 64 << 10;

/// Checks that everything in a message but the pixels is within the limits.
///
/// Its time is bounded too: pixels are skipped in one step, and everything else counts towards [`FRAME_OVERHEAD`]. A
/// message that ends early or is not a map passes, because the decoder reports it.
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

/// The id of a frame message, even if the message is unusable: its sender waits for an answer.
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

/// The rest of a message. If a method returns `None`, the rest stays unchanged.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads the header of a map: its number of fields.
    fn map(&mut self) -> Option<u64> {
        self.try_read(|reader| match reader.marker()? {
            Marker::FixMap(fields) => Some(u64::from(fields)),
            Marker::Map16 => reader.number(2),
            Marker::Map32 => reader.number(4),
            _ => None,
        })
    }

    /// Reads a field's name. The decoder would also accept numbers and bytes as names.
    fn name(&mut self) -> Result<&'a [u8], DecodeError> {
        let wrong = || rmp_serde::decode::Error::Syntax("a field's name is not text".into());
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

    /// Reads a byte string of any length.
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

    /// Skips one value of at most `limit` bytes, with everything in it.
    fn skip_within(&mut self, limit: usize) -> Option<()> {
        let mut within = Self(&self.0[..limit.min(self.0.len())]);
        let all = within.0.len();
        // Counted instead of recursed into, so depth costs nothing.
        let mut values = 1u64;
        while values > 0 {
            values = values - 1 + within.step()?;
        }
        self.0 = &self.0[all - within.0.len()..];
        Some(())
    }

    /// Skips a value without its contents. Returns how many values it contains.
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
            // An extension's data follows its type, which is one byte.
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

    /// Reads an integer of this many bytes, at most 8.
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

    /// A frame message of 2x1 pixels with further fields, and with these bytes as `data`.
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

    /// Nested values of every MessagePack type.
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
