//! Where a request comes from, as far as limits and proof of consent need to know: the network, never the one address.
//! Knows addresses and prefixes; what a proxy says is believed only of proxies that are known.

// Addresses only: `core` has no sockets.
use core::net::IpAddr;

/// A network: an address and how many of its bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    bits: u128,
    prefix: u32,
}

/// IPv4 counts as the part of IPv6 that stands for it, so that a client is one, whichever way it is written.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn mask(prefix: u32) -> u128 {
    u128::MAX.checked_shl(128 - prefix).unwrap_or(0)
}

impl Network {
    /// `10.0.0.0/8`, `::1`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.trim().parse().ok()?;
        let (most, offset) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
        let prefix = match prefix {
            Some(prefix) => prefix.trim().parse().ok().filter(|prefix| *prefix <= most)?,
            None => most,
        };
        Some(Self { bits: bits(address) & mask(prefix + offset), prefix: prefix + offset })
    }

    #[must_use]
    pub fn has(self, address: IpAddr) -> bool {
        bits(address) & mask(self.prefix) == self.bits
    }
}

/// Whom limits count together: an IPv4 /24, an IPv6 /64.
#[must_use]
pub fn of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => format!("{}/64", core::net::Ipv6Addr::from_bits(address.to_bits() & mask(64))),
    }
}

/// As `client`, behind a known proxy that has no address itself.
#[must_use]
pub fn behind(forwarded: &str, proxies: &[Network]) -> Option<IpAddr> {
    let (rest, last) = forwarded.rsplit_once(',').unwrap_or(("", forwarded));
    address(last.trim()).and_then(|last| client(last, rest, proxies))
}

/// Who sent a request: the peer, or, while that is a known proxy, whoever it says came to it. What stands further left in
/// `forwarded` than the last stranger was written by that stranger, and is not read. None if a known proxy names somebody, and
/// it cannot be read whom.
#[must_use]
pub fn client(peer: IpAddr, forwarded: &str, proxies: &[Network]) -> Option<IpAddr> {
    let known = |address: IpAddr| proxies.iter().any(|proxy| proxy.has(address));
    let mut client = peer;
    for hop in forwarded.rsplit(',').map(str::trim).take_while(|_| !forwarded.is_empty()) {
        if !known(client) {
            break;
        }
        client = address(hop)?;
    }
    Some(client.to_canonical())
}

/// `192.0.2.1`, `192.0.2.1:1234`, `[2001:db8::1]:1234`, `2001:db8::1`, `[2001:db8::1]`; in quotes, too.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim_matches('"');
    if let Ok(socket) = hop.parse::<core::net::SocketAddr>() {
        return Some(socket.ip());
    }
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok()
}

/// Networks that are not the public internet: a machine's own, a house's, a provider's, or nobody's.
const NOT_PUBLIC: [&str; 27] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    // All but 2000::/3, in which addresses are given out.
    "::/3",
    "4000::/2",
    "8000::/1",
    // Within that: protocols (Teredo, ORCHID), documentation, 6to4.
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    // Named for the reader; they are in those above.
    "::1/128",
    "64:ff9b:1::/48",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
];

/// Whether an address is one that strangers may have us call: on the public internet, however it is written.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let translated = match address {
        // NAT64: an IPv4 address for those who have only IPv6.
        IpAddr::V6(six) if six.to_bits() >> 32 == 0x0064_ff9b << 64 => {
            let [.., a, b, c, d] = six.octets();
            IpAddr::from([a, b, c, d])
        }
        other => other,
    };
    let same_kind = |text: &str| text.contains(':') == translated.is_ipv6();
    !NOT_PUBLIC.iter().any(|text| same_kind(text) && Network::parse(text).is_some_and(|net| net.has(translated)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_client_is_whom_the_last_known_proxy_names() {
        let proxies = ["127.0.0.0/8", "::1", "10.1.0.0/16"].map(|text| Network::parse(text).unwrap());
        for (peer, forwarded, expected) in [
            ("127.0.0.1", "", "127.0.0.1"),
            ("127.0.0.1", "192.0.2.7", "192.0.2.7"),
            ("::1", "203.0.113.9, 192.0.2.7:4000", "192.0.2.7"),
            ("127.0.0.1", "203.0.113.9, 192.0.2.7, 10.1.2.3", "192.0.2.7"),
            ("198.51.100.4", "192.0.2.7", "198.51.100.4"),
            ("198.51.100.4", "nonsense", "198.51.100.4"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
            ("::ffff:127.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
            ("127.0.0.1", "[2001:db8::1]", "2001:db8::1"),
            ("127.0.0.1", "\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("127.0.0.1", "nonsense, 192.0.2.7", "192.0.2.7"),
        ] {
            assert_eq!(client(ip(peer), forwarded, &proxies), Some(ip(expected)), "{peer} {forwarded}");
        }
        for forwarded in ["unknown", "192.0.2.7, nonsense", "192.0.2.7,", "_hidden", "[192.0.2.7"] {
            assert_eq!(client(ip("127.0.0.1"), forwarded, &proxies), None, "{forwarded}");
        }
    }

    #[test]
    fn networks_are_read_and_bad_ones_are_not() {
        for (text, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("2001:db8::/32", "2001:db8:1::1", "2001:db9::1"),
            ("0.0.0.0/0", "8.8.8.8", "2001:db8::1"),
        ] {
            let network = Network::parse(text).unwrap();
            assert!(network.has(ip(inside)) && !network.has(ip(outside)), "{text}");
        }
        for text in ["", "10.0.0.0/33", "::/129", "localhost", "10.0.0.0/-1", "10.0.0/8"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
        assert_eq!(of(ip("192.0.2.77")), "192.0.2.0/24");
        assert_eq!(of(ip("::ffff:192.0.2.77")), "192.0.2.0/24");
        assert_eq!(of(ip("2001:db8:1:2:3::4")), "2001:db8:1:2::/64");
    }

    #[test]
    fn what_is_not_on_the_public_internet_is_known() {
        assert!(NOT_PUBLIC.iter().all(|text| Network::parse(text).is_some()));
        for text in [
            "8.8.8.8",
            "193.0.6.139",
            "2a00:1450::1",
            "2606:4700::1",
            "2001:4860:4860::8888",
            "64:ff9b::808:808",
            "::ffff:8.8.8.8",
        ] {
            assert!(is_public(ip(text)), "{text}");
        }
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "172.31.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "239.1.1.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.2.1",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
        ] {
            assert!(!is_public(ip(text)), "{text}");
        }
    }
}
