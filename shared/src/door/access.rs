//! Who may see a page at our port, and from where.
//!
//! The page shows frames, truth and figures. So it is for this machine only, unless the person who starts the server says
//! otherwise. A page of another site must not reach it through a visitor's browser: `Host` must name this machine, so that no
//! foreign name leads here (DNS rebinding), and a WebSocket's `Origin` must be this server's own page.

use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;

use super::http::{Answer, Request, Status};

/// Longest name of a host (RFC 1035, section 2.3.4).
const LONGEST_NAME: usize = 253;

/// Longest name of a host in a request that is repeated in an answer.
const SHOWN: usize = 60;

/// What admits visitors to the page.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Names of this machine.
    pub names: Vec<String>,
    /// Whether the page is shown beyond this machine (`--dashboard`).
    pub is_open: bool,
}

/// Names of hosts, with commas between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostNames(pub Vec<String>);

/// What is not the name of a host.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is not the name of a host: write one such as plumb.example, or several with commas between them")]
pub struct NotAHost(String);

impl FromStr for HostNames {
    type Err = NotAHost;

    fn from_str(text: &str) -> Result<Self, NotAHost> {
        let names: Vec<_> = text.split(',').map(|name| name.trim().to_owned()).collect();
        if names.iter().all(|name| is_host(name)) { Ok(Self(names)) } else { Err(NotAHost(text.into())) }
    }
}

/// Letters, digits and hyphens between dots (RFC 1123, section 2.1).
fn is_host(name: &str) -> bool {
    let is_label = |label: &str| {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(is_inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= LONGEST_NAME && name.split('.').all(is_label)
}

/// Why a visitor does not see the page.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// It comes from another machine.
    #[error(
        "the page of this server is shown on its own machine only, because it shows frames, truth and figures: start \
         the server with --dashboard to show it elsewhere"
    )]
    Elsewhere,
    /// The request does not say for whom it is.
    #[error("the request has no Host, or more than one")]
    NoHost,
    /// The request is for another machine.
    #[error(
        "\"{0}\" is not a name of this machine: open the page by its IP address, or start the server with --allow-host \
         {0}"
    )]
    OtherHost(String),
    /// The WebSocket is asked for by another page.
    #[error("a page of another origin asks for this: only this server's own page may")]
    OtherOrigin,
}

impl Refusal {
    /// The status of the answer to such a request.
    pub fn status(&self) -> Status {
        match self {
            Self::Elsewhere | Self::OtherOrigin => Status::Forbidden,
            Self::NoHost => Status::BadRequest,
            Self::OtherHost(_) => Status::Misdirected,
        }
    }

    /// The answer to such a request.
    pub fn answer(&self) -> Answer {
        Answer::text(self.status(), format!("{self}\n"))
    }
}

impl Access {
    /// The page's access rules on the machine with this name; `allowed` are more of its names.
    pub fn new(machine: Option<String>, allowed: &[String], is_open: bool) -> Self {
        Self { names: machine.into_iter().chain(allowed.iter().cloned()).collect(), is_open }
    }

    /// Checks a request for the page or a part of it, from this address, with this `Host`.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn admit(&self, peer: IpAddr, host: Option<&str>) -> Result<(), Refusal> {
        if !self.is_open && !peer.to_canonical().is_loopback() {
            return Err(Refusal::Elsewhere);
        }
        let host = host.ok_or(Refusal::NoHost)?;
        let name = name_of(host).ok_or_else(|| Refusal::OtherHost(shown(host)))?;
        let is_ours = is_address(name)
            || name.eq_ignore_ascii_case("localhost")
            || self.names.iter().any(|known| known.eq_ignore_ascii_case(name));
        if is_ours { Ok(()) } else { Err(Refusal::OtherHost(shown(name))) }
    }

    /// Checks that a WebSocket is asked for by this server's own page. A browser names the page in `Origin`.
    ///
    /// # Errors
    /// [`Refusal::OtherOrigin`].
    pub fn admit_origin(host: Option<&str>, origin: Option<&str>) -> Result<(), Refusal> {
        let page = origin.and_then(|origin| origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")));
        match (host, page) {
            (Some(host), Some(page)) if host.eq_ignore_ascii_case(page) => Ok(()),
            _ => Err(Refusal::OtherOrigin),
        }
    }

    /// Checks that a request asks for a WebSocket, and that our own page does.
    ///
    /// # Errors
    /// The answer to any other request.
    pub fn admit_websocket(request: &Request) -> Result<(), Answer> {
        Self::admit_origin(request.host.as_deref(), request.origin.as_deref()).map_err(|refusal| refusal.answer())?;
        if request.method != "GET" || request.websocket_key.is_none() {
            return Err(Answer::text(Status::UpgradeRequired, "this is for a WebSocket of version 13\n"));
        }
        Ok(())
    }
}

/// The name in `NAME`, `NAME:PORT`, `[ADDRESS]` or `[ADDRESS]:PORT`; `None` if it is none of them.
fn name_of(host: &str) -> Option<&str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (name, port) = rest.split_once(']')?;
            name.parse::<std::net::Ipv6Addr>().ok()?;
            (name, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    (!name.is_empty() && port.is_none_or(is_port)).then_some(name)
}

fn is_address(name: &str) -> bool {
    name.parse::<IpAddr>().is_ok()
}

/// What of a foreign name an answer repeats.
fn shown(host: &str) -> String {
    let is_plain = |character: &char| character.is_ascii_alphanumeric() || "-._:".contains(*character);
    host.chars().filter(is_plain).take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn access(is_open: bool) -> Access {
        Access::new(Some("desk".into()), &["plumb.example".into()], is_open)
    }

    #[test]
    fn only_names_of_this_machine_are_taken() {
        for host in [
            "127.0.0.1:8080",
            "127.0.0.1",
            "192.0.2.7:80",
            "[::1]:8080",
            "[2001:db8::7]",
            "localhost:8080",
            "LOCALHOST",
            "desk:1",
            "Plumb.Example:8080",
        ] {
            assert_eq!(access(false).admit(HERE, Some(host)), Ok(()), "{host}");
        }
        for host in [
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "desk.evil.example",
            "",
            ":8080",
            "localhost:",
            "localhost:80:80",
            "localhost:8o",
            "[::1",
            "[::1]8080",
            "[localhost]",
            "127.0.0.1@evil.example",
        ] {
            assert!(matches!(access(false).admit(HERE, Some(host)), Err(Refusal::OtherHost(_))), "{host}");
        }
        assert_eq!(access(false).admit(HERE, None), Err(Refusal::NoHost));
    }

    #[test]
    fn another_machine_sees_the_page_only_if_it_is_open() {
        let there = IpAddr::from([192, 0, 2, 9]);
        assert_eq!(access(false).admit(there, Some("192.0.2.7:8080")), Err(Refusal::Elsewhere));
        assert_eq!(access(true).admit(there, Some("192.0.2.7:8080")), Ok(()));
        assert!(access(true).admit(there, Some("evil.example")).is_err(), "names are checked all the same");
        let mapped: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
        assert_eq!(access(false).admit(mapped, Some("localhost")), Ok(()));
    }

    #[test]
    fn a_websocket_is_given_only_to_our_own_page() {
        let admits = |host, origin| Access::admit_origin(host, origin).is_ok();
        assert!(admits(Some("127.0.0.1:8080"), Some("http://127.0.0.1:8080")));
        assert!(admits(Some("desk:8080"), Some("https://DESK:8080")));
        for (host, origin) in [
            (Some("127.0.0.1:8080"), Some("http://127.0.0.1:9090")),
            (Some("127.0.0.1:8080"), Some("http://localhost:8080")),
            (Some("127.0.0.1:8080"), Some("http://127.0.0.1:8080.evil.example")),
            (Some("127.0.0.1:8080"), Some("http://evil.example")),
            (Some("127.0.0.1:8080"), Some("null")),
            (Some("127.0.0.1:8080"), Some("file://")),
            (Some("127.0.0.1:8080"), None),
            (None, Some("http://127.0.0.1:8080")),
        ] {
            assert!(!admits(host, origin), "{host:?} {origin:?}");
        }
    }

    #[test]
    fn names_of_hosts_are_one_or_several() {
        assert_eq!("a.example, b".parse(), Ok(HostNames(vec!["a.example".into(), "b".into()])));
        for text in ["", "a,", "a b", "-a", "a-", "a..b", "a:80", "http://a", "ä", &"a".repeat(254)] {
            assert!(text.parse::<HostNames>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_an_answer_repeats_is_short_and_plain() {
        let refusal = access(false).admit(HERE, Some(&format!("<script>{}", "a".repeat(1000)))).unwrap_err();
        assert!(!refusal.to_string().contains('<') && refusal.to_string().len() < 400, "{refusal}");
    }
}
