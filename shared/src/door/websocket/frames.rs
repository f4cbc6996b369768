//! The framing of WebSocket messages (RFC 6455, section 5).

use super::WebSocketError;

/// Maximum payload of a control frame in bytes (section 5.5).
const MAX_CONTROL: usize = 125;

/// What a frame that this end sends holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// A message of text.
    Text,
    /// A message of bytes.
    Binary,
    /// The end.
    Close,
}

/// What came from the page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// A whole message, of text or of bytes.
    Message(Vec<u8>),
    /// The page ends the connection.
    Close,
    /// A ping, a pong, or an empty piece of a message.
    Ignored,
}

/// The header of an unmasked frame that is a whole message.
pub(super) fn header(opcode: Opcode, length: usize) -> Vec<u8> {
    let code = match opcode {
        Opcode::Text => 1,
        Opcode::Binary => 2,
        Opcode::Close => 8,
    };
    let mut header = vec![FINAL | code];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < LENGTH_16 => header.push(short),
        (_, Ok(longer)) => {
            header.push(LENGTH_16);
            header.extend_from_slice(&longer.to_be_bytes());
        }
        _ => {
            header.push(LENGTH_64);
            header.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    header
}

/// The bit of a message's last frame.
const FINAL: u8 = 0x80;

/// The bit of a masked frame: all frames of a client are.
const MASKED: u8 = 0x80;

/// Says that the length follows in 2 bytes.
const LENGTH_16: u8 = 126;

/// Says that the length follows in 8 bytes.
const LENGTH_64: u8 = 127;

/// Reads frames from bytes that arrive in any pieces.
#[derive(Debug)]
pub(super) struct Decoder {
    /// Maximum number of bytes of a message.
    most: usize,
    /// Bytes that arrived.
    arrived: Vec<u8>,
    /// How many of them are taken. They are removed once for all frames of a read: each removal moves the rest.
    taken: usize,
    /// The frames of the message so far; `None` between messages.
    message: Option<Vec<u8>>,
}

/// The header of a frame from the page.
struct Header {
    is_final: bool,
    code: u8,
    mask: [u8; 4],
    /// Bytes of the header.
    bytes: usize,
    /// Bytes of the payload.
    length: usize,
}

impl Decoder {
    pub(super) fn new(most: usize) -> Self {
        Self { most, arrived: Vec::new(), taken: 0, message: None }
    }

    /// Where the next bytes are to be appended. There is room for at least this many.
    pub(super) fn room(&mut self, bytes: usize) -> &mut Vec<u8> {
        self.arrived.drain(..self.taken);
        self.taken = 0;
        self.arrived.reserve(bytes);
        &mut self.arrived
    }

    /// What the next frame completes; `None` while it is not whole.
    pub(super) fn next(&mut self) -> Result<Option<Received>, WebSocketError> {
        loop {
            let Some(header) = self.header()? else { return Ok(None) };
            let Some(masked) = self.arrived[self.taken..].get(header.bytes..header.bytes + header.length) else {
                return Ok(None);
            };
            let payload: Vec<u8> =
                masked.iter().zip(header.mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
            self.taken += header.bytes + header.length;
            if let Some(received) = self.taken(&header, payload)? {
                return Ok(Some(received));
            }
        }
    }

    /// Takes a frame; returns what it completes.
    fn taken(&mut self, header: &Header, payload: Vec<u8>) -> Result<Option<Received>, WebSocketError> {
        match (header.code, &mut self.message) {
            (8, _) => return Ok(Some(Received::Close)),
            (9 | 10, _) => return Ok(Some(Received::Ignored)),
            (1 | 2, None) => self.message = Some(payload),
            // It brings nothing.
            (0, Some(_)) if payload.is_empty() && !header.is_final => return Ok(Some(Received::Ignored)),
            (0, Some(message)) => message.extend_from_slice(&payload),
            (1 | 2, Some(_)) => return Err(WebSocketError::Malformed("a message begins within another")),
            (0, None) => return Err(WebSocketError::Malformed("a message goes on that has not begun")),
            _ => return Err(WebSocketError::Malformed("an unknown kind of frame")),
        }
        Ok(self.message.take_if(|_| header.is_final).map(Received::Message))
    }

    /// The header of the frame that begins what arrived; `None` while it is not whole.
    fn header(&self) -> Result<Option<Header>, WebSocketError> {
        let [first, second, rest @ ..] = &self.arrived[self.taken..] else { return Ok(None) };
        let (is_final, code) = (first & FINAL != 0, first & 0x0f);
        if first & 0x70 != 0 {
            return Err(WebSocketError::Malformed("an extension that was not agreed on"));
        }
        if second & MASKED == 0 {
            return Err(WebSocketError::Malformed("a frame without a mask"));
        }
        let (length, of_length) = match second & !MASKED {
            LENGTH_16 => match rest {
                [a, b, ..] => (u64::from(u16::from_be_bytes([*a, *b])), 2),
                _ => return Ok(None),
            },
            LENGTH_64 => match rest.first_chunk::<8>() {
                Some(bytes) => (u64::from_be_bytes(*bytes), 8),
                None => return Ok(None),
            },
            short => (u64::from(short), 0),
        };
        let is_control = code & 8 != 0;
        let before = self.message.as_ref().filter(|_| !is_control).map_or(0, Vec::len);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > self.most.saturating_sub(before) {
            return Err(WebSocketError::TooLong(self.most));
        }
        if is_control && (length > MAX_CONTROL || !is_final) {
            return Err(WebSocketError::Malformed("a control frame that is long or in pieces"));
        }
        let Some(mask) = rest.get(of_length..).and_then(|rest| rest.first_chunk::<4>()) else { return Ok(None) };
        Ok(Some(Header { is_final, code, mask: *mask, bytes: 2 + of_length + 4, length }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOST: usize = 70_000;

    /// A frame as a page sends it.
    fn frame(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
        let mut bytes = header(Opcode::Text, payload.len());
        bytes[0] = first;
        bytes[1] |= MASKED;
        bytes.extend_from_slice(&mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    fn decoded(bytes: &[u8]) -> Result<Option<Received>, WebSocketError> {
        let mut decoder = Decoder::new(MOST);
        decoder.room(bytes.len()).extend_from_slice(bytes);
        decoder.next()
    }

    proptest! {
        #[test]
        fn messages_arrive_as_they_were_sent_in_whatever_pieces(
            messages in prop::collection::vec((0..66_000_usize, 1..4_usize), 1..4),
            mask: [u8; 4],
            piece in 1..3000_usize,
        ) {
            let content = |length: usize| (0..length).map(|place| (place % 251) as u8).collect::<Vec<u8>>();
            let mut sent = Vec::new();
            for (length, frames) in &messages {
                let content = content(*length);
                let size = content.len() / frames + 1;
                let mut chunks: Vec<_> = content.chunks(size).collect();
                if chunks.is_empty() {
                    chunks.push(&[]);
                }
                for (place, chunk) in chunks.iter().enumerate() {
                    let last = if place + 1 == chunks.len() { FINAL } else { 0 };
                    sent.extend(frame(last | if place == 0 { 2 } else { 0 }, chunk, mask));
                    // Between the pieces of a message.
                    sent.extend(frame(0x89, b"ping", mask));
                }
            }
            let mut decoder = Decoder::new(MOST);
            let mut received = Vec::new();
            for piece in sent.chunks(piece) {
                decoder.room(piece.len()).extend_from_slice(piece);
                while let Some(one) = decoder.next().unwrap() {
                    received.extend(match one {
                        Received::Message(bytes) => Some(bytes.len()),
                        Received::Ignored => None,
                        Received::Close => panic!("no close"),
                    });
                }
            }
            prop_assert_eq!(received, messages.iter().map(|(length, _)| *length).collect::<Vec<_>>());
        }

        #[test]
        fn no_bytes_cause_a_panic_or_much_memory(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut decoder = Decoder::new(1000);
            for byte in bytes {
                decoder.room(1).push(byte);
                if decoder.next().is_err() {
                    break;
                }
                prop_assert!(decoder.arrived.len() <= 1400 && decoder.message.as_ref().map_or(0, Vec::len) <= 1000);
            }
        }
    }

    #[test]
    fn what_breaks_the_rules_is_refused_before_its_bytes_arrive() {
        let mask = [1, 2, 3, 4];
        for (bytes, wrong) in [
            (vec![0x81, 0x05], "without a mask"),
            (vec![0xc1, 0x85], "an extension"),
            (vec![0x81, 0xff, 0, 0, 0, 0, 0, 1, 0x11, 0x71], "longer than 70000 bytes"),
            (vec![0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "longer than 70000 bytes"),
            (vec![0x09, 0x80], "in pieces"),
            (vec![0x89, 0xfe, 0, 126], "is long"),
            (frame(0x80, b"x", mask), "has not begun"),
            (frame(0x83, b"x", mask), "unknown kind"),
            ([frame(0x01, b"x", mask), frame(0x81, b"y", mask)].concat(), "within another"),
        ] {
            let error = decoded(&bytes).unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}, not {wrong}");
        }
        assert_eq!(decoded(&[0x81]).unwrap(), None);
    }
}
