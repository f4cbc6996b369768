//! Opening a link: descriptions are exchanged, then the lanes open.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::pin::pin;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tracing::warn;
use webrtc::peer_connection::{PeerConnectionBuilder, RTCSessionDescription};

use crate::door::lines::Signaling;
use crate::link::{Lane, Link, MESSAGE_SIZE};
use crate::protocol::message::Delivery;

use super::candidates::Candidates;
use super::description::{LEAST_MESSAGE, PlumbAttribute, advertised, peer_message_size};
use super::engine::setting_engine;
use super::error::{OPENING_LIMIT, OpenError};
use super::guard::Conduct;
use super::lanes::{OpenLanes, OpeningLanes};
use super::link_proof::LinkProof;
use super::old_form;
use super::peer::{Handler, Peer, UnusedChannels};
use super::plain::plain;
use super::port::PortLease;
use super::progress::{Progress, Stuck};
use super::runtime::LinkRuntime;
use super::settings::{LinkSettings, PeerKind};
use super::setup::Setup;

/// A link that is being opened.
pub(super) struct Opening {
    runtime: Arc<LinkRuntime>,
    lanes: OpeningLanes,
    progress: Progress,
    /// Whether we start DTLS, and with it SCTP.
    is_client: bool,
    /// Largest message we would send, in bytes.
    largest_message: usize,
    /// Largest message the peer takes, in bytes.
    max_message_size: usize,
    proof: LinkProof,
}

/// An open link, not yet joined with its signaling connection.
pub(super) struct Opened {
    lanes: OpenLanes,
    max_message_size: usize,
}

/// Makes an offer with three lanes, as the DTLS client. [`Opening::accept`] takes its answer.
pub(super) async fn offer(settings: &LinkSettings) -> Result<(Opening, String), OpenError> {
    let (mut opening, gathered) = Opening::build(settings).await?;
    let connection = opening.lanes.peer.connection.clone();
    for lane in Lane::ALL {
        let channel = connection.create_data_channel(lane.label(), settings.channel(lane)).await?;
        opening.lanes.made.push((lane, channel));
    }
    let offer = connection.create_offer(None).await?;
    let sdp = advertised(opening.describe(offer, gathered).await?, settings.advertise);
    let is_stranger = settings.peer == PeerKind::Stranger;
    let attribute = PlumbAttribute { mtu: settings.mtu, live: settings.delivery == Delivery::Live, is_stranger };
    opening.proof.ours(&sdp);
    Ok((opening, attribute.insert(&Setup::Active.put(&sdp))))
}

/// Answers an offer.
pub(super) async fn answer(settings: &LinkSettings, offer: String) -> Result<(Opening, String), OpenError> {
    let offer = old_form::current(plain(&offer)?);
    let (mut opening, gathered) = Opening::build(settings).await?;
    opening.max_message_size = enough(peer_message_size(&offer))?;
    opening.proof.theirs(&offer)?;
    let setup = Setup::left_by(&offer);
    opening.is_client = setup == Setup::Active;
    let connection = opening.lanes.peer.connection.clone();
    connection.set_remote_description(RTCSessionDescription::offer(offer)?).await?;
    let answer = connection.create_answer(None).await?;
    let sdp = advertised(opening.describe(answer, gathered).await?, settings.advertise);
    opening.proof.ours(&sdp);
    Ok((opening, setup.put(&sdp)))
}

impl Opening {
    async fn build(settings: &LinkSettings) -> Result<(Self, watch::Receiver<bool>), OpenError> {
        let (progress, conduct) = (Progress::new(), Conduct::new());
        let (pace, packet_size) = (settings.pace(), settings.packet_size());
        let runtime = LinkRuntime::new(pace, packet_size, progress.clone(), settings.signaling, conduct.clone());
        let (gathered_tx, gathered) = watch::channel(false);
        let (incoming_tx, incoming) = mpsc::channel(Lane::ALL.len());
        let port = settings.ports.as_ref().map(|ports| PortLease::take(ports, &settings.addresses)).transpose()?;
        let unused = UnusedChannels::default();
        let bound = |&address: &IpAddr| SocketAddr::new(address, port.as_ref().map_or(0, PortLease::port));
        let addresses: Vec<_> = settings.addresses.iter().map(bound).collect();
        let connection = PeerConnectionBuilder::new()
            .with_runtime(runtime.clone())
            .with_handler(Arc::new(Handler::new(gathered_tx, incoming_tx, progress.clone(), unused.clone())))
            .with_setting_engine(setting_engine(settings, &conduct)?)
            .with_data_channel_send_buffer_limit(settings.send_buffer())
            .with_udp_addrs(addresses.clone())
            .build()
            .await
            .map_err(|error| no_socket(&addresses).unwrap_or_else(|| not_built(&addresses, error)))?;
        let peer = Arc::new(Peer::new(Arc::new(connection), port, unused, conduct));
        let lanes = OpeningLanes { peer, made: Vec::new(), incoming, live_answers: settings.channel(Lane::Answers) };
        let largest_message = settings.message_size();
        let max_message_size = MESSAGE_SIZE;
        let proof = LinkProof::new(settings.proven.clone());
        Ok((Self { runtime, lanes, progress, is_client: true, largest_message, max_message_size, proof }, gathered))
    }

    /// Applies our description and waits until it lists all our addresses.
    async fn describe(
        &self,
        description: RTCSessionDescription,
        mut gathered: watch::Receiver<bool>,
    ) -> Result<String, OpenError> {
        let connection = &self.lanes.peer.connection;
        connection.set_local_description(description).await?;
        let wait = gathered.wait_for(|gathered| *gathered);
        let _ = tokio::time::timeout(OPENING_LIMIT, wait).await.map_err(|_| OpenError::Gathering)?;
        Ok(connection.local_description().await.ok_or(OpenError::NoDescription)?.sdp)
    }

    /// Applies the peer's answer to our offer.
    ///
    /// The offer leaves the server role to the peer, whatever role its answer claims. pion and the crate itself claim
    /// the client role in their answers, but then take the role that the offer leaves them.
    ///
    /// With a token, the answer comes with the peer's proof that the link is its own.
    pub(super) async fn accept(&mut self, answer: String, proof: Option<&str>) -> Result<(), OpenError> {
        let answer = Setup::Passive.put(&old_form::current(plain(&answer)?));
        self.max_message_size = enough(peer_message_size(&answer))?;
        self.proof.theirs(&answer)?;
        self.proof.check(proof, None)?;
        let answer = RTCSessionDescription::answer(answer)?;
        Ok(self.lanes.peer.connection.set_remote_description(answer).await?)
    }

    /// Our proof that this link is ours, once both descriptions are known; `None` without a token.
    pub(super) fn proof(&self) -> Option<String> {
        self.proof.prove()
    }

    /// The signature of this end's identity, if it is a source that has one.
    pub(super) fn signature(&self) -> Option<String> {
        self.proof.sign()
    }

    /// Checks the peer's proof that this link is its own, and the signature of the named server.
    pub(super) fn check(&self, proof: Option<&str>, signature: Option<&str>) -> Result<(), OpenError> {
        self.proof.check(proof, signature)
    }

    /// Closes the sockets and waits until they are closed.
    pub(super) async fn close(self) {
        self.lanes.peer.close().await;
    }

    /// A handle that adds further addresses of the peer, also while the lanes open.
    pub(super) fn candidates(&self) -> Candidates {
        Candidates(self.lanes.peer.clone())
    }

    /// Waits until all three lanes are open. Logs where it is stuck if a step takes long.
    pub(super) async fn opened(self) -> Result<Opened, OpenError> {
        let Self { runtime, lanes, progress, is_client, largest_message, max_message_size, proof } = self;
        let peer = lanes.peer.clone();
        let offers = !lanes.made.is_empty();
        let stuck = || progress.stuck(is_client, offers);
        let opening = with_stuck_step(lanes.opened(), &progress, &stuck);
        let opened = tokio::time::timeout(OPENING_LIMIT, opening).await;
        runtime.opened();
        let lanes = opened.map_err(|_| OpenError::Timeout { stuck: stuck() })?.map_err(|error| match error {
            // The crate reports only that it gave up.
            OpenError::GaveUp if progress.has_way() => OpenError::Failed { stuck: stuck() },
            error => error,
        })?;
        proof.check_certificate(&peer).await?;
        Ok(Opened { lanes, max_message_size: max_message_size.min(largest_message) })
    }
}

/// Waits for `opening` and logs once where it is stuck if a step takes long.
async fn with_stuck_step<T>(opening: impl Future<Output = T>, progress: &Progress, stuck: impl Fn() -> Stuck) -> T {
    let mut opening = pin!(opening);
    tokio::select! {
        opened = &mut opening => return opened,
        () = progress.lags() => warn!("the data channels are not open yet: {}", stuck()),
    }
    opening.await
}

impl Opened {
    /// The link, joined with its signaling connection.
    pub(super) fn link(self, signaling: Signaling) -> Link {
        self.lanes.link(signaling, self.max_message_size)
    }
}

/// Accepts a message size that holds a piece of a frame.
fn enough(max_message_size: usize) -> Result<usize, OpenError> {
    if max_message_size >= LEAST_MESSAGE { Ok(max_message_size) } else { Err(OpenError::MessageSize(max_message_size)) }
}

/// The system's error if it refuses a socket at every one of these addresses. The crate reports only that it has no
/// socket.
fn no_socket(addresses: &[SocketAddr]) -> Option<OpenError> {
    let refused =
        |&address: &SocketAddr| UdpSocket::bind(address).err().map(|error| OpenError::NoSocket { address, error });
    addresses.iter().map(refused).collect::<Option<Vec<_>>>()?.into_iter().next()
}

/// The error for a socket that could not be opened or copied a moment ago, but can be opened now.
fn not_built(addresses: &[SocketAddr], error: webrtc::error::Error) -> OpenError {
    use webrtc::error::Error;
    let Some(&address) = addresses.first() else { return OpenError::WebRtc(error) };
    match error {
        Error::Io(error) => OpenError::NoSocket { address, error: error.0 },
        // None could be bound or copied. The crate's text is all there is.
        Error::Other(reason) => OpenError::NoSocket { address, error: system_error(reason) },
        error => OpenError::WebRtc(error),
    }
}

/// The system's error that this text of the crate ends with, such as "io error: Too many open files (os error 24)".
fn system_error(text: String) -> io::Error {
    let number = text.strip_suffix(')').and_then(|text| text.rsplit_once("(os error ")?.1.parse().ok());
    number.map_or_else(|| io::Error::other(text), io::Error::from_raw_os_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_of_another_machine_is_named_in_the_error() {
        let settings = LinkSettings { addresses: vec![[192, 0, 2, 7].into()], ..Default::default() };
        let error = offer(&settings).await.err().expect("no socket").to_string();
        assert!(error.starts_with("cannot open a UDP socket at 192.0.2.7:0: "), "{error}");
    }

    #[test]
    fn after_a_temporary_lack_of_sockets_another_attempt_is_made() {
        let addresses = [([127, 0, 0, 1], 0).into()];
        // The crate's errors for a socket whose copy is refused, and for a refused socket.
        let copy = not_built(&addresses, io::Error::from_raw_os_error(24).into());
        assert!(copy.to_string().ends_with("(ulimit -n)"), "{copy}");
        let text = not_built(
            &addresses,
            webrtc::error::Error::Other(format!("io error: {}", io::Error::from_raw_os_error(24))),
        );
        assert_eq!(text.to_string(), copy.to_string());
        let socket = not_built(&addresses, webrtc::error::Error::Other("no udp_sockets available".into()));
        assert!(copy.is_worth_another_attempt() && socket.is_worth_another_attempt());
    }

    #[tokio::test]
    async fn candidates_name_the_advertised_address_and_the_bound_port() {
        let advertise = Some([192, 0, 2, 7].into());
        let settings = LinkSettings { addresses: vec![[127, 0, 0, 1].into()], advertise, ..Default::default() };
        let (_opening, offer) = offer(&settings).await.unwrap();
        let candidates: Vec<_> = offer.lines().filter(|line| line.starts_with("a=candidate:")).collect();
        assert!(!candidates.is_empty());
        assert!(candidates.iter().all(|line| line.contains(" 192.0.2.7 ")), "{offer}");
        assert!(!offer.contains("127.0.0.1"), "{offer}");
        assert_eq!(advertised(offer.clone(), None), offer);
    }
}
