//! The body of a call or of its response: tells an account when HTTP/2 has released each piece.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tonic::Status;

use super::account::Account;

/// A body whose pieces are watched.
pub(super) struct Watched {
    body: tonic::body::Body,
    account: Arc<Account>,
}

impl Watched {
    pub(super) fn new(body: tonic::body::Body, account: Arc<Account>) -> Self {
        Self { body, account }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(frame.map(|frame| Ok(frame?.map_data(|bytes| Piece::watch(bytes, &self.account)))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A piece of a body, on its way.
struct Piece {
    bytes: Bytes,
    account: Arc<Account>,
}

impl Piece {
    fn watch(bytes: Bytes, account: &Arc<Account>) -> Bytes {
        if bytes.is_empty() {
            return bytes;
        }
        Bytes::from_owner(Self { bytes, account: account.clone() })
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.account.released(self.bytes.len());
    }
}
