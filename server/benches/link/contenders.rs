//! The contenders, in groups that carry the same frames at the same rate.

use shared::flow::pacer::Rate;
use shared::geometry::Size;

/// The frames that all contenders of a group carry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Group {
    /// Name for people.
    pub(crate) name: &'static str,
    /// Size of the frames.
    pub(crate) size: Size,
    /// Frame rate.
    pub(crate) rate: Rate,
    /// Largest SCTP packet in bytes; `None` for the largest that the path carries.
    pub(crate) mtu: Option<u32>,
}

/// Kind of a contender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Raw TCP.
    Tcp,
    /// A stream of the same gRPC messages, as tonic carries it.
    BareGrpc,
    /// Our link alone.
    BareLink,
    /// Our programs, with these options for the server: names and values.
    Ours(&'static [[&'static str; 2]]),
    /// Both our ends in one process, over a link in memory.
    Memory,
    /// aiortc and OpenCV.
    Aiortc,
    /// grpcio and OpenCV.
    Grpcio,
}

/// A contender: one kind in one group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Contender {
    /// Group in which it is compared.
    pub(crate) group: Group,
    /// Kind of the contender.
    pub(crate) kind: Kind,
}

/// Largest SCTP packet, in bytes, on a path with an MTU of 1500, as on a real network.
const NETWORK_MTU: u32 = 1400;

const VGA: Size = Size { width: 640, height: 480 };
const FULL_HD: Size = Size { width: 1920, height: 1080 };

/// The groups.
pub(crate) const UNPACED: Group = Group { name: "640x480, unpaced", size: VGA, rate: Rate::Max, mtu: None };
pub(crate) const NETWORK: Group =
    Group { name: "640x480, unpaced, SCTP MTU 1400", size: VGA, rate: Rate::Max, mtu: Some(NETWORK_MTU) };
pub(crate) const LARGE: Group = Group { name: "1920x1080, unpaced", size: FULL_HD, rate: Rate::Max, mtu: None };
pub(crate) const PACED: Group = Group { name: "640x480, 60 fps", size: VGA, rate: Rate::Hz(60.0), mtu: None };

pub(crate) const RAW: Kind = Kind::Ours(&[]);
pub(crate) const AUTO: Kind = Kind::Ours(&[["--encoding", "auto"]]);
/// Over the connection to the server's port, without WebRTC.
pub(crate) const OVER_TCP: Kind = Kind::Ours(&[["--link", "tcp"]]);
/// Over a gRPC call to the server's port.
pub(crate) const OVER_GRPC: Kind = Kind::Ours(&[["--link", "grpc"]]);
/// The links without the detector's time: the client acknowledges each frame.
pub(crate) const ACK_OVER_TCP: Kind = Kind::Ours(&[["--link", "tcp"], ["--task", "ack"]]);
pub(crate) const ACK_OVER_GRPC: Kind = Kind::Ours(&[["--link", "grpc"], ["--task", "ack"]]);
const LIVE: Kind = Kind::Ours(&[["--delivery", "live"]]);
pub(crate) const NETWORK_RAW: Kind = Kind::Ours(&[["--sctp-mtu", "1400"]]);
const NETWORK_AUTO: Kind = Kind::Ours(&[["--sctp-mtu", "1400"], ["--encoding", "auto"]]);

/// All contenders, group by group.
pub(crate) fn all() -> Vec<Contender> {
    let groups: [(Group, &[Kind]); 4] = [
        (
            UNPACED,
            &[
                Kind::Tcp,
                Kind::BareLink,
                Kind::BareGrpc,
                Kind::Memory,
                OVER_TCP,
                ACK_OVER_TCP,
                OVER_GRPC,
                ACK_OVER_GRPC,
                RAW,
                AUTO,
                LIVE,
                Kind::Aiortc,
                Kind::Grpcio,
            ],
        ),
        (NETWORK, &[Kind::Tcp, Kind::BareLink, NETWORK_RAW, NETWORK_AUTO]),
        (
            LARGE,
            &[Kind::Tcp, Kind::BareLink, Kind::BareGrpc, OVER_TCP, OVER_GRPC, RAW, AUTO, Kind::Aiortc, Kind::Grpcio],
        ),
        (
            PACED,
            &[
                Kind::Tcp,
                Kind::BareLink,
                Kind::BareGrpc,
                Kind::Memory,
                OVER_TCP,
                OVER_GRPC,
                RAW,
                AUTO,
                LIVE,
                Kind::Aiortc,
                Kind::Grpcio,
            ],
        ),
    ];
    groups.iter().flat_map(|(group, kinds)| kinds.iter().map(|&kind| Contender { group: *group, kind })).collect()
}

impl Kind {
    /// Name for people.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Tcp => "raw TCP".to_owned(),
            Self::BareGrpc => "bare tonic stream".to_owned(),
            Self::BareLink => "bare link".to_owned(),
            Self::Ours([]) => "ours".to_owned(),
            Self::Ours(options) => format!("ours, {}", options.as_flattened().join(" ")),
            Self::Memory => "ours, in memory".to_owned(),
            Self::Aiortc => "aiortc + OpenCV".to_owned(),
            Self::Grpcio => "grpcio + OpenCV".to_owned(),
        }
    }
}

impl Contender {
    /// Name with the group's name.
    pub(crate) fn full_name(&self) -> String {
        format!("{}: {}", self.group.name, self.kind.name())
    }
}
