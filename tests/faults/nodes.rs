//! Between the nodes and their database: cables that are cut, a database that is away for long, or slow, clocks that differ.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::runtime::Runtime;

use super::namespace::Namespace;
use super::postgres::OwnServer;
use super::program::{Program, blog};
use super::road::{Road, To};
use super::site::{Site, until};
use super::trial::{CONNECTIONS, Trial, by, daemon_by, patiently, settings, slow};
use super::{libfaketime, pass};

/// How long a node may do without the database before others take what it held.
const LEASE: Duration = Duration::from_mins(1);
const READERS: usize = 600;

fn database() -> Option<OwnServer> {
    Runtime::new().unwrap().block_on(OwnServer::start())
}

/// The socket of a server.
fn socket(server: &OwnServer) -> PathBuf {
    let url = server.url();
    PathBuf::from(url.split_once("?host=").unwrap().1).join(".s.PGSQL.5432")
}

fn url(road: &Road) -> String {
    format!("postgres://gazetted@{}/postgres", road.address)
}

/// Two nodes that send, the first one behind a cable of its own.
struct Two {
    network: Namespace,
    /// From the first node to the database, and to the mail server.
    database: Road,
    mail: Road,
    trial: Trial,
    first: Program,
    second: Program,
    _first_site: Site,
}

impl Two {
    fn start(server: &OwnServer) -> Option<Self> {
        let network = Namespace::new()?;
        let trial = Trial::on(&server.url(), READERS, slow(100));
        let database = Road::from(network.here, To::Socket(socket(server)));
        let mail = Road::by(network.listener(), To::Address(trial.server.address));
        let site = blog().config(&settings(&url(&database), mail.address.port()));
        let listen = format!("{}:0", network.there);
        let mut command = by(&site, &network.runner(), &["run", "--listen", &listen]);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
        let first = Program::of(command.spawn().unwrap());
        let second = Program::start(&trial.site);
        until("both to send", || (mail.passed() > 20_000 && trial.copies().len() > 40).then_some(()));
        Some(Self { network, database, mail, trial, first, second, _first_site: site })
    }

    fn finish(self, doubled: usize) {
        patiently("the rest", || self.trial.copies().len() == READERS);
        patiently("the ledger", || self.trial.site.json("outbox")["accepted"] == READERS);
        for (name, log) in [("first", self.first.log()), ("second", self.second.log())] {
            println!("{name}: {log}");
            assert!(!log.contains("panicked"), "{log}");
            assert!(log.lines().count() < 40, "{name} says too much");
        }
        assert_eq!((self.first.exit(Signal::TERM), self.second.exit(Signal::TERM)), (Some(0), Some(0)));
        self.trial.assert_sent(doubled);
    }
}

/// FAULTS D4, short: what has been claimed is kept.
#[test]
fn a_cable_to_the_database_that_is_dead_for_five_seconds_loses_nobody_and_doubles_nobody() {
    let Some(server) = database() else { return };
    let Some(two) = Two::start(&server) else { return };
    two.network.cut(two.database.address.port());
    pass(Duration::from_secs(5));
    two.network.heal();
    assert!(two.trial.copies().len() < READERS, "it was cut too late to see anything");
    two.finish(0);
}

/// FAULTS D4, longer than a lease: the other node sends what the first one held, and the first one does not.
#[test]
fn a_node_that_cannot_reach_the_database_sends_nothing_once_its_lease_is_over() {
    let Some(server) = database() else { return };
    let Some(two) = Two::start(&server) else { return };
    let cut = Instant::now();
    two.network.cut(two.database.address.port());
    assert!(two.trial.copies().len() < READERS, "it was cut too late to see anything");
    pass(LEASE.saturating_sub(cut.elapsed()));
    let sent = two.mail.passed();
    let everybody = |two: &Two| two.trial.copies().len() == READERS;
    patiently("the other node to send all", || everybody(&two));
    pass(Duration::from_secs(5));
    // What says goodbye to a mail server is no message.
    let since = two.mail.passed() - sent;
    println!("{since} bytes to the mail server after the lease, {:?} after the cut", cut.elapsed());
    assert!(since < 200, "a node without a lease has sent {since} bytes");
    two.network.heal();
    two.finish(CONNECTIONS);
}

/// FAULTS D3, longer than a lease: nobody can take over, and each node still knows what it has sent.
#[test]
fn a_database_that_is_away_for_longer_than_a_lease_while_two_nodes_send_loses_and_doubles_nobody() {
    let Some(mut server) = database() else { return };
    let trial = Trial::on(&server.url(), READERS, slow(60));
    let other = blog().config(&settings(&server.url(), trial.server.address.port()));
    let programs = [Program::start(&trial.site), Program::start(&other)];
    trial.until_sent(60);
    server.told("stop");
    pass(LEASE + Duration::from_secs(10));
    let sent = trial.copies().len();
    println!("{sent} of {READERS} when the database came back");
    assert!(sent < READERS, "it went too late to see anything");
    server.told("start");
    patiently("the rest", || trial.copies().len() == READERS);
    patiently("the ledger", || trial.site.json("outbox")["accepted"] == READERS);
    for program in programs {
        println!("{}", program.log());
        assert_eq!(program.exit(Signal::TERM), Some(0));
    }
    trial.assert_sent(0);
}

/// FAULTS D6.
#[test]
fn a_database_half_a_second_away_is_sent_from_slowly_and_nothing_goes_twice() {
    const READERS: usize = 40;
    let Some(server) = database() else { return };
    let trial = Trial::on(&server.url(), READERS, slow(1));
    let road = Road::new(To::Socket(socket(&server)));
    let site = blog().config(&settings(&url(&road), trial.server.address.port()));
    let program = Program::start(&site);
    trial.until_sent(5);
    // There and back.
    road.slow(Duration::from_millis(250));
    let started = Instant::now();
    let sent = trial.copies().len();
    while trial.copies().len() < READERS {
        assert!(started.elapsed() < Duration::from_mins(4), "{} of {READERS}\n{}", trial.copies().len(), program.log());
        pass(Duration::from_millis(500));
    }
    println!("{} messages in {:?}", READERS - sent, started.elapsed());
    road.slow(Duration::ZERO);
    trial.until_settled();
    assert_eq!(program.exit(Signal::TERM), Some(0));
    trial.assert_sent(0);
}

/// FAULTS D7, while they send: leases are by the database's clock alone.
#[test]
fn a_node_whose_clock_is_an_hour_behind_or_ahead_shares_an_edition_with_others_and_nothing_goes_twice() {
    let (Some(server), Some(library)) = (database(), libfaketime()) else { return };
    let preload = format!("LD_PRELOAD={}", library.display());
    let trial = Trial::without_edition(blog(), &server.url(), READERS, slow(10));
    let others = [(); 2].map(|()| blog().config(&settings(&server.url(), trial.server.address.port())));
    let off = |site: &Site, by: &str| {
        daemon_by(site, &["env", &preload, &format!("FAKETIME={by}"), "FAKETIME_DONT_FAKE_MONOTONIC=1"])
    };
    let programs = [Program::start(&trial.site), off(&others[0], "-1h"), off(&others[1], "+1h")];
    trial.site.ok("digest open 2021-05 --now");
    patiently("everybody", || trial.copies().len() == READERS);
    trial.until_settled();
    for program in programs {
        let log = program.log();
        assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
        assert_eq!(program.exit(Signal::TERM), Some(0));
    }
    trial.assert_sent(0);
}

/// The whole list is sent by whoever is left when a node's network is gone for good.
#[test]
fn a_node_whose_cable_is_cut_for_good_can_still_be_told_to_stop() {
    let Some(server) = database() else { return };
    let Some(two) = Two::start(&server) else { return };
    two.network.cut(two.database.address.port());
    let told = Instant::now();
    let code = two.first.exit(Signal::TERM);
    println!("left with {code:?} after {:?}", told.elapsed());
    assert!(told.elapsed() < Duration::from_secs(45), "systemd would have killed it");
    patiently("the rest", || two.trial.copies().len() == READERS);
    assert_eq!(two.second.exit(Signal::TERM), Some(0));
    two.trial.assert_sent(CONNECTIONS);
}
