//! Which network addresses a request on behalf of a caller may reach.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::LazyLock,
};

use ipnet::IpNet;

/// Networks that are not the public internet, by the registries of special addresses of IANA (RFC 6890).
const SPECIAL: [&str; 30] = [
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
    "224.0.0.0/4",
    "240.0.0.0/4",
    // Unspecified, loopback, and addresses of IPv4 in an old form.
    "::/96",
    // An address of IPv4 in the form for hosts without IPv4, in that of sockets, and in those of gateways.
    "::ffff:0:0/96",
    "::ffff:0:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    // Teredo, benchmarks, ORCHID and the other protocols of this block.
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
];

/// All public addresses of IPv6.
const GLOBAL: [&str; 1] = ["2000::/3"];

/// Networks of addresses on one link, where cloud providers answer with credentials of the machine, and those in which any
/// address of IPv4 can stand.
const LINK_LOCAL: [&str; 3] = ["169.254.0.0/16", "fe80::/10", "64:ff9b:1::/48"];

fn parsed(networks: &[&str]) -> Vec<IpNet> {
    networks.iter().map(|network| network.parse().expect("a network in a constant")).collect()
}

/// Returns whether an address is of the public internet.
pub fn is_public(address: IpAddr) -> bool {
    static NETWORKS: LazyLock<[Vec<IpNet>; 2]> = LazyLock::new(|| [parsed(&SPECIAL), parsed(&GLOBAL)]);
    let [special, global] = &*NETWORKS;
    let address = address.to_canonical();
    let is_global = address.is_ipv4() || global.iter().any(|network| network.contains(&address));
    is_global && special.iter().all(|network| !network.contains(&address))
}

/// Returns whether an address, or one of IPv4 in it, is of one link only.
pub fn is_link_local(address: IpAddr) -> bool {
    static NETWORKS: LazyLock<Vec<IpNet>> = LazyLock::new(|| parsed(&LINK_LOCAL));
    let address = address.to_canonical();
    let inner = if let IpAddr::V6(address) = address { embedded(address) } else { None };
    let mut all = std::iter::once(address).chain(inner.map(IpAddr::V4));
    all.any(|address| NETWORKS.iter().any(|network| network.contains(&address)))
}

/// Returns the address of IPv4 to which a gateway translates an address: NAT64, 6to4, and the old forms.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let octets = address.octets();
    let at = |start: usize| Ipv4Addr::new(octets[start], octets[start + 1], octets[start + 2], octets[start + 3]);
    match address.segments() {
        [0x2002, ..] => Some(at(2)),
        [0x64, 0xff9b, 0, ..] | [0, 0, 0, 0, 0 | 0xffff, 0, ..] => Some(at(12)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first, the last and one more address of each range that must be shut.
    const SHUT: &str = "0.0.0.0 0.1.2.3 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 \
        127.255.255.255 169.254.0.0 169.254.169.254 169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.255 \
        192.0.2.1 192.88.99.1 192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 \
        239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 \
        ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1 100::1 2001::1 2001:0:7f00:1:: 2001:1::1 2001:db8::1 \
        2002:7f00:1:: 2002:808:808:: 3fff::1 3fff:fff:ffff:: 5f00::1 fc00::1 fd00:ec2::254 fdff::1 fe80::1 febf::1 fec0::1 \
        ff02::1 ffff::1 4000::1 8000::1 c000::1 e000::1 f000::1 f800::1";

    /// Addresses of the internet, next to the ranges.
    const OPEN: &str = "1.0.0.0 1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 \
        169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0 192.167.255.255 \
        192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255 \
        ::ffff:8.8.8.8 2001:200::1 2001:4860:4860::8888 2001:db7:: 2001:db9:: 2003::1 2606:4700:4700::1111 3ffe::1";

    fn addresses(text: &str) -> impl Iterator<Item = IpAddr> {
        text.split_whitespace().map(|address| address.parse().unwrap())
    }

    #[test]
    fn special_addresses_are_shut_and_their_neighbours_open() {
        for address in addresses(SHUT) {
            assert!(!is_public(address), "{address}");
        }
        for address in addresses(OPEN) {
            assert!(is_public(address), "{address}");
        }
    }

    #[test]
    fn an_address_of_one_link_is_known_in_every_form() {
        let forms = "169.254.169.254 ::ffff:169.254.169.254 ::ffff:0:169.254.169.254 ::a9fe:a9fe 64:ff9b::a9fe:a9fe \
            64:ff9b:1::a9fe:a9fe 2002:a9fe:a9fe:: fe80::1 febf::1";
        for address in addresses(forms) {
            assert!(is_link_local(address), "{address}");
        }
        for address in addresses("10.0.0.1 127.0.0.1 8.8.8.8 64:ff9b::7f00:1 fc00::1 2001:4860:4860::8888") {
            assert!(!is_link_local(address), "{address}");
        }
    }
}
