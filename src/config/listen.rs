//! Where the daemon listens, as the configuration says it.

use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    Address(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
    /// Whatever systemd has opened under the listener's name.
    Systemd,
}

/// What `Listen::parse` takes, for those who wrote something else.
pub const EXPECTED: &str = "expected an address and a port, like `127.0.0.1:8080` or `[::]:8080`, `unix:/run/gazetted/http.sock`, or `systemd`";

impl Listen {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "systemd" {
            return Some(Self::Systemd);
        }
        match text.strip_prefix("unix:") {
            Some(path) => Some(Self::Unix(path.into())).filter(|_| path.starts_with('/') && !path.ends_with('/')),
            None => text.parse().ok().map(Self::Address),
        }
    }
}

/// The permissions of a socket in the file system: `0660`.
#[must_use]
pub fn mode(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777 && text.len() >= 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_an_address_a_file_or_systemd_s() {
        let address = |text: &str| Some(Listen::Address(text.parse().unwrap()));
        for (text, expected) in [
            ("127.0.0.1:8080", address("127.0.0.1:8080")),
            ("[::]:80", address("[::]:80")),
            ("unix:/run/gazetted/http.sock", Some(Listen::Unix("/run/gazetted/http.sock".into()))),
            ("systemd", Some(Listen::Systemd)),
            ("unix:", None),
            ("unix:http.sock", None),
            ("unix:/run/", None),
            ("localhost:8080", None),
            ("8080", None),
            ("", None),
        ] {
            assert_eq!(Listen::parse(text), expected, "{text}");
        }
        for (text, expected) in
            [("0660", Some(0o660)), ("777", Some(0o777)), ("0999", None), ("7777", None), ("", None), ("6", None)]
        {
            assert_eq!(mode(text), expected, "{text}");
        }
    }
}
