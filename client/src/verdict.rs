//! Whether a session ended as it should.

use shared::shell::exit::Exit;

use crate::session::End;
use crate::tally::Tally;

/// How a session ended badly, with the exit code; `None` if it ended as it should.
pub fn failure(end: &End, tally: &Tally) -> Option<(Exit, String)> {
    match end {
        End::ServerLeft { reason } if tally.received == 0 => {
            Some((Exit::NoPeer, format!("the server said bye before the first frame: {reason}")))
        }
        End::ServerLeft { .. } | End::Stopped => None,
        End::ServerGone { reason } | End::NeverBegan { reason } => {
            Some((Exit::NoPeer, format!("the server is gone: {reason}")))
        }
        End::Rejected { reason } => Some((Exit::NoPeer, format!("cannot work with this server: {reason}"))),
        End::Unable { reason } => Some((Exit::Usage, reason.clone())),
    }
}
