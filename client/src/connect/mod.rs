//! Opens a link to the server, and waits for a server that is not there yet.
//!
//! `goal` makes one attempt and `open` opens its link. [`Attempts`] decides whether to try again.

mod goal;
mod open;

use std::time::Duration;

use shared::connect::Attempts;
use shared::link::Link;
use tokio::time::sleep;

use self::goal::Goal;
use crate::commands::Commands;
use crate::config::Config;

pub use shared::connect::ConnectError;

pub(crate) use open::{Asked, features, introduced, joined};

/// Connects to the named server, or to one it finds if none is named. Waits for a server that is not there yet.
pub struct Connecting {
    goal: Goal,
    attempts: Attempts,
    asked: Asked,
}

impl Connecting {
    /// Starts to wait for the server, and for the link that the client asks for.
    pub fn begin(config: &Config) -> Self {
        let (link, mtu) = (config.link, config.sctp_mtu);
        let asked = Asked { link, admission: config.admission.clone(), tls: config.tls.clone(), mtu };
        Self { goal: Goal::new(&config.server), attempts: Attempts::begin("server", config.wait), asked }
    }

    /// Makes attempts until a link is open or there is no time for another. Logs once what it waits for, and why. After
    /// the command to quit both, it finishes the current attempt and makes no other: the command may still reach a
    /// server.
    ///
    /// # Errors
    /// Why the last attempt failed.
    pub async fn link(&mut self, commands: &mut Commands) -> Result<Link, ConnectError> {
        loop {
            let failure = match self.goal.attempt(&self.asked).await {
                Ok(link) => return Ok(link),
                Err(failure) => failure,
            };
            let reason = failure.reason();
            let pause = self.attempts.failed(|| self.goal.describe(), failure)?;
            tokio::select! {
                () = sleep(pause) => {}
                () = commands.quit_both() => {
                    return Err(ConnectError::NothingToStop { place: self.goal.describe(), reason });
                }
            }
        }
    }

    /// Returns the pause before another attempt after a link broke before its session began; `None` if there is no time
    /// for one.
    pub fn begin_again(&mut self, reason: &str) -> Option<Duration> {
        self.attempts.begin_again(reason)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use shared::door::admission::Admission;
    use shared::link::{Kind, memory};
    use shared::tls::Tls;

    use super::*;
    use crate::config::{Server, Wait};
    use crate::pipeline::PipelineChoice;
    use crate::workers::Policy;

    fn config(server: Server, wait: Wait) -> Config {
        let (workers, pipeline) = (NonZeroUsize::MIN, PipelineChoice::auto());
        Config {
            server,
            wait,
            link: Kind::Webrtc,
            admission: Admission::default(),
            tls: Tls::default(),
            sctp_mtu: None,
            pull: false,
            pipeline,
            workers,
            policy: Policy::Every,
        }
    }

    #[tokio::test]
    async fn a_server_in_this_process_is_dialled_in_memory() {
        let (mut listener, dialer) = memory::endpoint();
        let config = config(Server::InProcess(dialer), Wait::Forever);
        assert!(Connecting::begin(&config).link(&mut Commands::none()).await.is_ok());
        assert!(listener.accept().await.is_some());
    }

    #[tokio::test]
    async fn a_server_of_this_process_that_has_ended_is_waited_for_like_any_other() {
        let (listener, dialer) = memory::endpoint();
        drop(listener);
        let config = config(Server::InProcess(dialer), Wait::For(Duration::ZERO));
        let error =
            Connecting::begin(&config).link(&mut Commands::none()).await.err().expect("nobody listens").to_string();
        assert_eq!(error, "no server at this process: nobody listens in this process");
    }
}
