//! Links over WebRTC data channels.
//!
//! The offerer makes the three channels. Host candidates only, all in the description: no STUN, no trickle.
//!
//! What a Plumb peer needs to know beside standard SDP stands in one session-level attribute of the offer,
//! `a=x-plumb:1 mtu=16000`, which strangers ignore ([`PlumbAttribute`]). [`LinkSettings`] sizes packets and buffers.

mod channels;
mod description;
mod engine;
mod events;
pub mod handshake;
mod opening;
mod own_answers;
mod pace;
mod peer;
mod port;
mod runtime;
mod settings;

pub use description::PlumbAttribute;
pub use opening::{Candidates, OPENING_LIMIT, OpenError, Opening, answer, offer};
pub use settings::{LEAST_MTU, LOOPBACK_MTU, LinkSettings, NETWORK_MTU, PeerKind, parse_mtu, sound_mtu};

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::BytesMut;

    use crate::link::{Lane, LinkEvent, MESSAGE_SIZE};

    use super::description::advertised;
    use super::*;

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

    #[tokio::test]
    async fn two_ends_open_a_link_and_messages_cross_it_on_their_lanes() {
        let settings =
            LinkSettings { addresses: vec![[127, 0, 0, 1].into()], mtu: Some(LOOPBACK_MTU), ..Default::default() };
        let (mut offering, offer) = offer(&settings).await.unwrap();
        let (answering, answer) = answer(&settings, offer).await.unwrap();
        offering.accept(answer).await.unwrap();
        let (source, sink) = tokio::join!(offering.opened(), answering.opened());
        let (mut source, mut sink) = (source.unwrap(), sink.unwrap());
        for lane in Lane::ALL {
            source.sender().send(lane, BytesMut::from(lane.label())).await.unwrap();
            let LinkEvent::Message(on, message) = sink.next().await else { panic!("closed") };
            assert_eq!((on, &message[..]), (lane, lane.label().as_bytes()));
        }
        let large = BytesMut::from(&vec![7; MESSAGE_SIZE][..]);
        sink.sender().send(Lane::Answers, large.clone()).await.unwrap();
        assert!(matches!(source.next().await, LinkEvent::Message(Lane::Answers, message) if message == large));
        source.sender().close_within(Duration::from_millis(200)).await;
        assert!(matches!(source.next().await, LinkEvent::Closed));
    }
}
