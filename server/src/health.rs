//! Health check: one ping to a server's signaling port.

use std::time::Duration;

use shared::door::dial::{self, Unreachable};
use shared::door::lines::{Signaling, SignalingError};
use shared::door::signal::Signal;
use shared::shell::descriptors::with_advice;
use shared::shell::exit::Exit;
use shared::shell::runtime;
use thiserror::Error;
use tokio::time::timeout;
use tracing::{error, info};

/// A server that does not answer within this is not healthy.
const LIMIT: Duration = Duration::from_secs(2);

/// Checks whether a server answers at HOST:PORT.
pub fn run(address: &str) -> Exit {
    let runtime = match runtime::start() {
        Ok(runtime) => runtime,
        Err(error) => {
            error!("cannot start the runtime: {}", with_advice(&error));
            return Exit::Other;
        }
    };
    let answered = runtime.block_on(async { timeout(LIMIT, ping(address)).await });
    // A name lookup may hang for seconds and must not delay the end.
    runtime.shutdown_background();
    match answered {
        Ok(Ok(())) => {
            info!("a server answers at {address}");
            Exit::Fine
        }
        Ok(Err(wrong)) => unhealthy(address, &wrong.to_string()),
        Err(_) => unhealthy(address, "no answer"),
    }
}

fn unhealthy(address: &str, reason: &str) -> Exit {
    error!("no server at {address}: {reason}");
    Exit::NoPeer
}

/// Why a server is considered unhealthy.
#[derive(Debug, Error)]
enum Unhealthy {
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    #[error(transparent)]
    Signaling(#[from] SignalingError),
}

async fn ping(address: &str) -> Result<(), Unhealthy> {
    let mut signaling = Signaling::new(dial::connect(address).await?);
    signaling.send(&Signal::Ping {}).await?;
    match signaling.receive().await? {
        Signal::Pong { .. } => Ok(()),
        other => Err(SignalingError::instead("a pong", other).into()),
    }
}
