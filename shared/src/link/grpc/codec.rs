//! The codec that tonic calls for each message, from a session's form to bytes and back.

use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Buf;
use prost::Message;
use thiserror::Error;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

use super::account::Account;
use super::outbox::Outgoing;
use super::outline::beside_pixels;
use super::translate::{Memory, Read, Side, Untranslatable};
use crate::link::Lane;
use crate::protocol::message::FRAME_OVERHEAD;

/// Bytes that gRPC puts before each message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// Why this end refuses a peer's bytes.
#[derive(Debug, Error)]
pub(super) enum NoMessage {
    #[error("bytes that are not a message of the proto: {0}")]
    Bytes(#[from] prost::DecodeError),
    #[error("a message of {bytes} bytes beside the pixels: at most {FRAME_OVERHEAD} are accepted")]
    TooLarge { bytes: usize },
    #[error("a message on the lane {0} before its hello: the hello comes first")]
    NoHello(Lane),
    #[error(transparent)]
    Untranslatable(#[from] Untranslatable),
}

impl From<NoMessage> for Status {
    /// The status has the cause as its source, which a status from a peer lacks.
    fn from(wrong: NoMessage) -> Self {
        let mut status = Self::invalid_argument(wrong.to_string());
        status.set_source(Arc::new(wrong));
        status
    }
}

/// The codec of one end of a session, which sends messages of `Ours` and receives those of `Theirs`.
pub(super) struct SessionCodec<Ours, Theirs> {
    account: Arc<Account>,
    most: usize,
    sides: PhantomData<(Ours, Theirs)>,
}

impl<Ours, Theirs> SessionCodec<Ours, Theirs> {
    /// A codec that accepts messages of at most `most` bytes.
    pub(super) fn new(account: Arc<Account>, most: usize) -> Self {
        Self { account, most, sides: PhantomData }
    }
}

impl<Ours: Side, Theirs: Side> Codec for SessionCodec<Ours, Theirs> {
    type Encode = Outgoing<Ours>;
    type Decode = Read;
    type Encoder = MessageEncoder<Ours>;
    type Decoder = MessageDecoder<Theirs>;

    fn encoder(&mut self) -> MessageEncoder<Ours> {
        MessageEncoder { account: self.account.clone(), side: PhantomData }
    }

    fn decoder(&mut self) -> MessageDecoder<Theirs> {
        MessageDecoder::new(self.most)
    }
}

/// Encodes messages.
pub(super) struct MessageEncoder<S> {
    account: Arc<Account>,
    side: PhantomData<S>,
}

impl<S: Side> Encoder for MessageEncoder<S> {
    type Item = Outgoing<S>;
    type Error = Status;

    fn encode(&mut self, item: Outgoing<S>, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        let Outgoing { lane, bytes, message } = item;
        let length = message.encoded_len();
        into.reserve(length);
        message.encode(into).map_err(|error| Status::internal(error.to_string()))?;
        self.account.encoded(lane, bytes, PREFIX + length);
        Ok(())
    }
}

/// Decodes messages, and checks that the hello comes first.
pub(super) struct MessageDecoder<S> {
    memory: Memory,
    is_greeted: bool,
    side: PhantomData<S>,
}

impl<S: Side> MessageDecoder<S> {
    pub(super) fn new(most: usize) -> Self {
        Self { memory: Memory::new(most), is_greeted: false, side: PhantomData }
    }

    /// Reads a message.
    pub(super) fn read_message(&mut self, bytes: bytes::Bytes) -> Result<Read, NoMessage> {
        let beside = beside_pixels(&bytes)?;
        if beside > FRAME_OVERHEAD {
            return Err(NoMessage::TooLarge { bytes: beside });
        }
        let read = S::read(S::Message::decode(bytes)?, &mut self.memory)?;
        self.is_greeted |= read.is_hello;
        if !self.is_greeted && read.lane != Lane::Control {
            return Err(NoMessage::NoHello(read.lane));
        }
        Ok(read)
    }
}

impl<S: Side> Decoder for MessageDecoder<S> {
    type Item = Read;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Read>, Status> {
        let bytes = from.copy_to_bytes(from.remaining());
        Ok(Some(self.read_message(bytes)?))
    }
}
