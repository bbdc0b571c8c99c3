//! A network of its own for a program, with one cable to ours that can be cut as cables are: nothing arrives, and nobody is
//! told.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::is_root;
use super::postgres::has;

pub struct Namespace {
    pub name: String,
    /// Our end of the cable.
    pub here: IpAddr,
    /// Its end.
    pub there: IpAddr,
}

fn run(words: &[&str]) {
    let done = Command::new(words[0]).args(&words[1..]).output().unwrap();
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
}

impl Namespace {
    pub fn new() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        if !is_root() || !has("ip") || !has("nft") {
            return None;
        }
        let number = (std::process::id() + NEXT.fetch_add(1, Ordering::SeqCst)) % 60_000;
        let [_, _, high, low] = (number * 4).to_be_bytes();
        let name = format!("gz{number}");
        let address = |last: u8| IpAddr::V4(Ipv4Addr::new(10, 213, high, low.wrapping_add(last)));
        let made = Self { here: address(1), there: address(2), name };
        let (near, far) = (format!("{}a", made.name), format!("{}b", made.name));
        run(&["ip", "netns", "add", &made.name]);
        run(&["ip", "link", "add", &near, "type", "veth", "peer", "name", &far]);
        run(&["ip", "link", "set", &far, "netns", &made.name]);
        run(&["ip", "address", "add", &format!("{}/30", made.here), "dev", &near]);
        run(&["ip", "link", "set", &near, "up"]);
        made.inside(&["ip", "address", "add", &format!("{}/30", made.there), "dev", &far]);
        made.inside(&["ip", "link", "set", &far, "up"]);
        made.inside(&["ip", "link", "set", "lo", "up"]);
        Some(made)
    }

    fn inside(&self, words: &[&str]) {
        run(&[&["ip", "netns", "exec", &self.name], words].concat());
    }

    /// What runs a program inside.
    pub fn runner(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.name]
    }

    /// A listener on the loopback of the inside, answered from here.
    pub fn listener(&self) -> TcpListener {
        let file = File::open(format!("/var/run/netns/{}", self.name)).unwrap();
        let inside = move || {
            move_into_link_name_space(std::os::fd::AsFd::as_fd(&file), Some(LinkNameSpaceType::Network)).unwrap();
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()
        };
        std::thread::spawn(inside).join().unwrap()
    }

    /// From now on nothing from that port of ours arrives inside.
    pub fn cut(&self, port: u16) {
        self.inside(&["nft", "add", "table", "inet", "f"]);
        self.inside(&["nft", "add chain inet f in { type filter hook input priority 0; }"]);
        self.inside(&["nft", &format!("add rule inet f in tcp sport {port} drop")]);
    }

    pub fn heal(&self) {
        self.inside(&["nft", "flush", "ruleset"]);
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).output();
    }
}
