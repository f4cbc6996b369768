//! The hello of a server, for tests of the client's session.

use shared::image::PixelFormat;
use shared::protocol::VERSION;
use shared::protocol::encoding::StreamEncoding;
use shared::protocol::message::{Delivery, Hello, PULL_FEATURE, Role, STOP_FEATURE, Stream};

/// A server's hello: this task, gray frames of 64x48 in this encoding, unpaced, delivered reliably, 8 unanswered at a
/// time.
pub fn server_hello(task: &str, encoding: StreamEncoding) -> Hello {
    let stream = Stream {
        width: 64,
        height: 48,
        pixel: PixelFormat::Gray8,
        rate_hz: None,
        window: 8,
        delivery: Delivery::Reliable,
        lifetime_us: None,
        deadline_us: None,
        meta: None,
        encoding,
        task: task.into(),
    };
    let (name, version) = ("test".into(), "0".into());
    let features = vec![PULL_FEATURE.into(), STOP_FEATURE.into()];
    let (session, role, stream) = (1, Role::Source, Some(stream));
    Hello { protocol: VERSION, name, version, session, role, stream, features, pull: false }
}
