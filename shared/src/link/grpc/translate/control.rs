//! Messages of the `control` lane.

use super::Untranslatable;
use super::words::{
    read_meta, read_pixel, read_role, read_stream_encoding, write_meta, write_pixel, write_role, write_stream_encoding,
};
use crate::link::grpc::wire;
use crate::protocol::message::{Bye, CIRCLE_TASK, Delivery, Hello, Ping, Pong, Refused, Stream};
use crate::time::Micros;

pub(super) fn write_hello(hello: Hello) -> wire::Hello {
    let Hello { protocol, name, version, session, role, stream, features, pull } = hello;
    let stream = stream.map(write_stream);
    // Its own is 1.
    let protocol = u32::try_from(protocol).unwrap_or(u32::MAX);
    wire::Hello { protocol, name, version, session, role: write_role(role), stream, features, pull }
}

pub(super) fn read_hello(hello: wire::Hello) -> Result<Hello, Untranslatable> {
    let wire::Hello { protocol, name, version, session, role, stream, features, pull } = hello;
    let stream = stream.map(read_stream).transpose()?;
    Ok(Hello { protocol: protocol.into(), name, version, session, role: read_role(role)?, stream, features, pull })
}

/// Delivery is always reliable on this link: a server that is live gives none.
fn write_stream(stream: Stream) -> wire::Stream {
    let Stream { width, height, pixel, rate_hz, window, deadline_us, encoding, task, meta, .. } = stream;
    let (encoding, jpeg_quality) = write_stream_encoding(encoding);
    wire::Stream {
        width,
        height,
        pixel: write_pixel(pixel),
        rate_hz,
        window,
        deadline_us,
        encoding,
        task,
        meta: write_meta(meta),
        jpeg_quality,
    }
}

fn read_stream(stream: wire::Stream) -> Result<Stream, Untranslatable> {
    let wire::Stream { width, height, pixel, rate_hz, window, deadline_us, encoding, task, meta, jpeg_quality } =
        stream;
    Ok(Stream {
        width,
        height,
        pixel: read_pixel("stream", pixel)?,
        rate_hz,
        window,
        delivery: Delivery::Reliable,
        lifetime_us: None,
        deadline_us,
        encoding: read_stream_encoding(encoding, jpeg_quality)?,
        task: if task.is_empty() { CIRCLE_TASK.into() } else { task },
        meta: read_meta(meta),
    })
}

pub(super) fn write_ping(ping: Ping) -> wire::Ping {
    wire::Ping { id: ping.id }
}

pub(super) fn read_ping(ping: wire::Ping) -> Ping {
    Ping { id: ping.id }
}

pub(super) fn write_pong(pong: Pong) -> wire::Pong {
    wire::Pong { id: pong.id, received_us: pong.received_us.0, sent_us: pong.sent_us.0 }
}

pub(super) fn read_pong(pong: wire::Pong) -> Pong {
    Pong { id: pong.id, received_us: Micros(pong.received_us), sent_us: Micros(pong.sent_us) }
}

pub(super) fn write_bye(bye: Bye) -> wire::Bye {
    wire::Bye { reason: bye.reason }
}

pub(super) fn read_bye(bye: wire::Bye) -> Bye {
    Bye { reason: bye.reason }
}

pub(super) fn write_refused(refused: Refused) -> wire::Refused {
    wire::Refused { what: refused.what, reason: refused.reason }
}

pub(super) fn read_refused(refused: wire::Refused) -> Refused {
    Refused { what: refused.what, reason: refused.reason }
}
