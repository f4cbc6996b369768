//! Names by which a client finds a server without being given its address.

/// The port a server listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 8080;

/// The name under which servers announce themselves by multicast DNS (RFC 6763).
pub const SERVICE_TYPE: &str = "_plumb._tcp.local.";

/// The announcement's property that holds [`Identity::id`].
pub const ID_PROPERTY: &str = "id";

/// By convention, the host name of a server among containers on one network.
pub const CONVENTIONAL_HOST: &str = "rust-server";

/// Identity of a server, however it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// For people: host and port.
    pub name: String,
    /// Random per server process. It shows whether two addresses lead to the same server.
    pub id: String,
}
