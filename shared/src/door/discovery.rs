//! What lets a client find a server that nobody named.

/// The port a server listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 8080;

/// The name under which servers announce themselves by multicast DNS (RFC 6763).
pub const SERVICE_TYPE: &str = "_plumb._tcp.local.";

/// The announcement's property that holds [`Identity::id`].
pub const ID_PROPERTY: &str = "id";

/// The host name a server has among containers of one network, by convention.
pub const CONVENTIONAL_HOST: &str = "rust-server";

/// Which server it is, however it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// For people: host and port.
    pub name: String,
    /// Drawn by each server process: two ways to one server are told from two servers.
    pub id: String,
}
