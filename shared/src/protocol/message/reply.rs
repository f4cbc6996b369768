//! Messages of the `answers` lane: an [`Answer`]; in live delivery several answers at a time, with the last few
//! repeated, and requests for missing pieces.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;

use super::{Answer, DecodeError, FRAME_OVERHEAD, check_integer, decode_answer, outline, tag, unknown_type, whole};

/// Maximum number of entries of each list in an [`Answers`].
pub const LIST_LIMIT: usize = 32;

/// Entries of such a list that need no heap memory: as many as a message of a steady stream holds.
const USUAL: usize = 4;

/// A list in an [`Answers`].
pub type Short<T> = SmallVec<[T; USUAL]>;

/// Maximum number of messages in a [`Resend`].
pub const RESEND_LIMIT: usize = 32;

/// Maximum number of pieces that one message of a [`Resend`] may name: as many as fit one packet together with the
/// message's header. Our receiver shares this limit among all messages of a `Resend`, so that the whole request fits
/// one packet.
pub const PIECE_LIMIT: usize = 256;

/// A message of the `answers` lane.
#[expect(clippy::large_enum_variant, reason = "read one at a time; a box would be an allocation per frame")]
#[derive(Clone, Debug, PartialEq)]
pub enum Reply<'a> {
    /// One answer.
    Answer(Answer<'a>),
    /// Several answers, and the last few again.
    Answers(Answers<'a>),
    /// A request for missing pieces of frames.
    Resend(Resend),
}

/// New answers, and the last few again, so that losing one message costs nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers<'a> {
    /// Answers sent for the first time, newest first.
    pub answers: Short<Answer<'a>>,
    /// Answers sent before, newest first.
    pub previous: Short<Answer<'a>>,
    /// Frames that were never complete and are given up, newest first. They may have been sent before.
    pub missing: Short<u64>,
}

/// A request for missing pieces that are still useful.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "resend")]
pub struct Resend {
    /// The messages of the `frames` lane with missing pieces.
    #[serde(deserialize_with = "short::<_, _, Incomplete, RESEND_LIMIT>")]
    pub messages: Vec<Incomplete>,
}

/// A message of the `frames` lane with missing pieces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incomplete {
    /// The message's id, which in live delivery is its frame's id.
    pub id: u64,
    /// The missing pieces; all pieces if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "short::<_, _, u32, PIECE_LIMIT>")]
    pub pieces: Vec<u32>,
}

/// Decodes a message of the `answers` lane without copying an image's data. Checks the size of everything else in a
/// large message first.
pub fn decode_reply(bytes: &[u8]) -> Result<Reply<'_>, DecodeError> {
    if bytes.len() > FRAME_OVERHEAD {
        outline::check(bytes)?;
    }
    match tag(bytes)? {
        "answer" => Ok(Reply::Answer(decode_answer(bytes)?)),
        "answers" => Ok(Reply::Answers(whole::<WireAnswers<'_>>(bytes)?.parse()?)),
        "resend" => {
            let resend: Resend = whole(bytes)?;
            resend.messages.iter().try_for_each(|message| check_integer("id", message.id))?;
            Ok(Reply::Resend(resend))
        }
        other => Err(unknown_type(other)),
    }
}

impl Serialize for Answers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(tag = "type", rename = "answers")]
        struct Wire<'w, 'a> {
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            answers: &'w [Answer<'a>],
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            previous: &'w [Answer<'a>],
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            missing: &'w [u64],
        }
        let Self { answers, previous, missing } = self;
        Wire { answers, previous, missing }.serialize(serializer)
    }
}

#[derive(Deserialize)]
struct WireAnswers<'a> {
    #[serde(borrow, default, deserialize_with = "short::<_, Short<_>, _, LIST_LIMIT>")]
    answers: Short<Answer<'a>>,
    #[serde(borrow, default, deserialize_with = "short::<_, Short<_>, _, LIST_LIMIT>")]
    previous: Short<Answer<'a>>,
    #[serde(default, deserialize_with = "short::<_, Short<_>, _, LIST_LIMIT>")]
    missing: Short<u64>,
}

impl<'a> WireAnswers<'a> {
    fn parse(self) -> Result<Answers<'a>, DecodeError> {
        let checked = |answers: Short<Answer<'a>>| answers.into_iter().map(Answer::checked).collect::<Result<_, _>>();
        self.missing.iter().try_for_each(|&frame| check_integer("missing", frame))?;
        Ok(Answers { answers: checked(self.answers)?, previous: checked(self.previous)?, missing: self.missing })
    }
}

/// Reads a list of at most `LIMIT` entries. A longer one is refused before memory is allocated for it.
fn short<'de, D, L, T, const LIMIT: usize>(from: D) -> Result<L, D::Error>
where
    D: Deserializer<'de>,
    L: Default + Extend<T>,
    T: Deserialize<'de>,
{
    struct List<L, T, const LIMIT: usize>(PhantomData<(L, T)>);

    impl<'de, L: Default + Extend<T>, T: Deserialize<'de>, const LIMIT: usize> Visitor<'de> for List<L, T, LIMIT> {
        type Value = L;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {LIMIT}")
        }

        fn visit_unit<E: Error>(self) -> Result<L, E> {
            Ok(L::default())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<L, A::Error> {
            let (mut entries, mut count) = (L::default(), 0);
            while let Some(entry) = list.next_element()? {
                if count == LIMIT {
                    return Err(A::Error::custom(format_args!("a list longer than {LIMIT}")));
                }
                count += 1;
                entries.extend([entry]);
            }
            Ok(entries)
        }
    }

    from.deserialize_any(List::<L, T, LIMIT>(PhantomData))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::message::tests::bytes;
    use crate::protocol::message::{AnswerTimes, Payload};

    fn none(frame: u64) -> Answer<'static> {
        Answer { frame, payload: Payload::new("none"), times: AnswerTimes::default() }
    }

    #[test]
    fn a_single_answer_is_still_a_reply() {
        let bytes = bytes(&none(3));
        assert!(matches!(decode_reply(&bytes), Ok(Reply::Answer(answer)) if answer.frame == 3));
    }

    #[test]
    fn lists_may_be_absent_or_nil() {
        let bare = bytes(&serde_json::json!({"type": "answers"}));
        assert_eq!(decode_reply(&bare).unwrap(), Reply::Answers(Answers::default()));
        let nil = bytes(&serde_json::json!({"type": "answers", "missing": null}));
        assert_eq!(decode_reply(&nil).unwrap(), Reply::Answers(Answers::default()));
    }

    #[test]
    fn lists_over_their_limit_are_refused() {
        let answers = |count: u64| Answers { answers: (0..count).map(none).collect(), ..Default::default() };
        assert!(decode_reply(&bytes(&answers(LIST_LIMIT as u64))).is_ok());
        let refused = decode_reply(&bytes(&answers(LIST_LIMIT as u64 + 1))).unwrap_err().to_string();
        assert!(refused.contains("longer than 32"), "{refused}");
        let missing = Answers { missing: [1; LIST_LIMIT + 1].into_iter().collect(), ..Default::default() };
        assert!(decode_reply(&bytes(&missing)).is_err());
        let pieces = |count| Resend { messages: vec![Incomplete { id: 0, pieces: vec![0; count] }] };
        assert!(decode_reply(&bytes(&pieces(PIECE_LIMIT))).is_ok());
        assert!(decode_reply(&bytes(&pieces(PIECE_LIMIT + 1))).is_err());
        let messages = Resend { messages: vec![Incomplete { id: 0, pieces: vec![] }; RESEND_LIMIT + 1] };
        assert!(decode_reply(&bytes(&messages)).is_err());
    }

    #[test]
    fn a_list_that_claims_to_be_endless_allocates_no_memory() {
        // {"type": "answers", "missing": an array of 2^32 - 1, of which nothing follows}
        let endless = b"\x82\xa4type\xa7answers\xa7missing\xdd\xff\xff\xff\xff";
        assert!(decode_reply(endless).is_err());
    }

    #[test]
    fn one_invalid_frame_id_refuses_the_whole_message() {
        let far = serde_json::json!({"type": "answers", "answers": [{"frame": 1u64 << 53, "kind": "none"}]});
        assert!(matches!(decode_reply(&bytes(&far)), Err(DecodeError::IntegerTooLarge { .. })));
        let id = serde_json::json!({"type": "resend", "messages": [{"id": 1u64 << 53}]});
        assert!(matches!(decode_reply(&bytes(&id)), Err(DecodeError::IntegerTooLarge { .. })));
    }

    proptest! {
        #[test]
        fn replies_come_back_as_they_were_written(
            answers in proptest::collection::vec(0..1u64 << 53, 0..LIST_LIMIT),
            previous in proptest::collection::vec(0..1u64 << 53, 0..LIST_LIMIT),
            missing in proptest::collection::vec(0..1u64 << 53, 0..LIST_LIMIT),
            asked in proptest::collection::vec((0..1u64 << 53, proptest::collection::vec(any::<u32>(), 0..20)), 0..20),
        ) {
            let list = |frames: Vec<u64>| frames.into_iter().map(none).collect();
            let answers = Answers { answers: list(answers), previous: list(previous), missing: missing.into() };
            let written = bytes(&answers);
            let Reply::Answers(read) = decode_reply(&written).unwrap() else { panic!("not answers") };
            prop_assert_eq!(&bytes(&read), &written);
            let messages = asked.into_iter().map(|(id, pieces)| Incomplete { id, pieces }).collect();
            let resend = Resend { messages };
            let written = bytes(&resend);
            prop_assert_eq!(decode_reply(&written).unwrap(), Reply::Resend(resend));
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode_reply(&bytes);
        }
    }
}
