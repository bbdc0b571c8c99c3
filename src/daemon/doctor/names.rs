//! The DNS, asked for all that the rules want to know: the system's name servers, or one that the operator names.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use tokio::task::JoinSet;

use super::{House, Options};
use crate::domain::doctor::dns::{Answer, Kind, Known, Question, Record, plain};
use crate::domain::doctor::mail::Received;
use crate::domain::doctor::names::{OurKey, Relay, Setup, findings};
use crate::domain::doctor::{Area, Finding, skip};
use crate::domain::network;

const PATIENCE: Duration = Duration::from_secs(3);
/// Of one answer are kept.
const MOST_RECORDS: usize = 100;
const LONGEST_TEXT: usize = 8_192;
/// A set-up asks some thirty.
const MOST_QUESTIONS: usize = 300;

#[derive(Clone)]
pub struct Names {
    /// None: the system says of no name server.
    resolver: Result<TokioResolver, String>,
    /// The operator wants to know what this one says.
    pub told: bool,
}

impl Names {
    pub fn new(server: Option<SocketAddr>) -> Self {
        Self { resolver: resolver(server).map_err(|error| error.to_string()), told: server.is_some() }
    }

    async fn ask(&self, question: &Question) -> Answer {
        let resolver = match &self.resolver {
            Ok(resolver) => resolver,
            Err(words) => return Answer::Silent(words.clone()),
        };
        let Ok(name) = Name::from_ascii(format!("{}.", question.name)) else {
            return Answer::Failed("it is no name that the DNS can have".to_owned());
        };
        let kind = match question.kind {
            Kind::A => RecordType::A,
            Kind::Aaaa => RecordType::AAAA,
            Kind::Mx => RecordType::MX,
            Kind::Txt => RecordType::TXT,
            Kind::Ptr => RecordType::PTR,
        };
        match resolver.lookup(name, kind).await {
            Ok(found) => {
                let records = found.answers().iter().filter_map(|record| read(&record.data)).take(MOST_RECORDS);
                let records: Vec<Record> = records.collect();
                if records.is_empty() { Answer::Empty } else { Answer::Found(records) }
            }
            Err(error) => failed(&error),
        }
    }

    pub async fn addresses(&self, host: &str) -> Vec<IpAddr> {
        let mut found = Vec::new();
        for kind in [Kind::A, Kind::Aaaa] {
            if let Answer::Found(records) = self.ask(&Question { kind, name: plain(host) }).await {
                found.extend(records.iter().filter_map(Record::address));
            }
        }
        found
    }
}

fn resolver(server: Option<SocketAddr>) -> Result<TokioResolver, NetError> {
    let mut builder = match server {
        None => TokioResolver::builder_tokio()?,
        Some(server) => {
            let at = |mut connection: ConnectionConfig| {
                connection.port = server.port();
                connection
            };
            let connections = vec![at(ConnectionConfig::udp()), at(ConnectionConfig::tcp())];
            let server = NameServerConfig::new(server.ip(), true, connections);
            let config = ResolverConfig::from_name_servers(vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    options.timeout = PATIENCE;
    options.attempts = 2;
    // What others see is asked for, and they do not have our `/etc/hosts`.
    options.use_hosts_file = ResolveHosts::Never;
    builder.build()
}

fn failed(error: &NetError) -> Answer {
    if error.is_nx_domain() {
        return Answer::NoName;
    }
    match error {
        NetError::Dns(_) if error.is_no_records_found() => no_records(error),
        NetError::Dns(_) => Answer::Failed(error.to_string()),
        _ => Answer::Silent(error.to_string()),
    }
}

/// "There is none", unless the server says that it cannot tell.
fn no_records(error: &NetError) -> Answer {
    use hickory_resolver::net::DnsError;
    use hickory_resolver::proto::op::ResponseCode;
    match error {
        NetError::Dns(DnsError::NoRecordsFound(found)) if found.response_code != ResponseCode::NoError => {
            Answer::Failed(found.response_code.to_string())
        }
        _ => Answer::Empty,
    }
}

fn read(data: &RData) -> Option<Record> {
    Some(match data {
        RData::A(found) => Record::Address(found.0.into()),
        RData::AAAA(found) => Record::Address(found.0.into()),
        RData::MX(found) => Record::Exchange(found.preference, plain(&found.exchange.to_ascii())),
        RData::PTR(found) => Record::Name(plain(&found.0.to_ascii())),
        RData::TXT(found) => {
            let whole: Vec<u8> =
                found.txt_data.iter().flat_map(|part| part.iter().copied()).take(LONGEST_TEXT).collect();
            Record::Text(String::from_utf8_lossy(&whole).into_owned())
        }
        _ => return None,
    })
}

/// The findings, and what is known by then of our keys: each record's text or nothing.
pub async fn look(setup: &Setup, names: &Names) -> (Vec<Finding>, Vec<Option<String>>) {
    let mut known = Known::default();
    loop {
        let missing = match findings(setup, &known) {
            Ok(found) => return (found, setup.signers.iter().map(|key| text(&known, key)).collect()),
            Err(missing) => missing,
        };
        if known.count() + missing.len() > MOST_QUESTIONS {
            return (skip(Area::Dns, "the records lead to more questions than anybody would ask"), Vec::new());
        }
        let mut asked = JoinSet::new();
        for question in missing {
            let names = names.clone();
            asked.spawn(async move { (names.ask(&question).await, question) });
        }
        for (answer, question) in asked.join_all().await {
            known.learn(question, answer);
        }
    }
}

fn text(known: &Known, key: &OurKey) -> Option<String> {
    let texts = known.texts(&key.name).ok()?.ok()?;
    texts.first().map(|text| (*text).to_owned())
}

/// What the rules are about, by the configuration.
pub fn setup(house: &House, received: &Received, options: &Options) -> Setup {
    let config = &house.config;
    let domain = |address: &str| {
        let of = address.rsplit_once('@').map_or("", |(_, domain)| domain.trim_end_matches('>').trim());
        url::Host::parse(of).map_or_else(|_| of.to_owned(), |host| host.to_string())
    };
    let from = domain(&config.digest.from);
    let replies = if config.digest.reply_to.is_empty() { from.clone() } else { domain(&config.digest.reply_to) };
    let return_path = if config.bounces.address.is_empty() {
        format!("x@{from}")
    } else {
        format!("x@{}", domain(&config.bounces.address))
    };
    let signers = house.sender.as_ref().map(|sender| sender.dkim.as_slice()).unwrap_or_default().iter();
    let signers = signers.map(|signer| {
        let (name, text) = signer.record();
        OurKey { domain: signer.domain().to_owned(), name, text }
    });
    let relay = |smtp: &crate::config::Smtp| Relay { host: smtp.host.clone(), here: is_here(smtp) };
    let helo = config.smtp.first().map(|smtp| smtp.helo.clone()).filter(|helo| !helo.is_empty());
    Setup {
        helo: helo.unwrap_or_else(|| from.clone()),
        from,
        replies,
        return_path,
        signers: signers.collect(),
        key_elsewhere: house.key_elsewhere,
        cannot_sign: house.sender.as_ref().err().filter(|_| !config.dkim.selector.is_empty()).cloned(),
        signed_by_relay: received.signed.first().cloned(),
        relays: config.smtp.iter().map(relay).collect(),
        sends_from: options.sends_from.clone(),
        own: own_addresses(),
    }
}

/// Whether mail goes on from this very machine.
pub fn is_here(smtp: &crate::config::Smtp) -> bool {
    let loopback = smtp.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    smtp.host.is_empty() || smtp.host == "localhost" || loopback
}

/// Those that packets to the internet would carry, if they are of the internet themselves. None is sent: a UDP socket that is
/// connected only looks up its way.
fn own_addresses() -> Vec<IpAddr> {
    let towards = |bound: &str, to: &str| {
        let socket = UdpSocket::bind(bound).ok()?;
        socket.connect(to).ok()?;
        Some(socket.local_addr().ok()?.ip()).filter(|address| network::is_public(*address))
    };
    let four = towards("0.0.0.0:0", "9.9.9.9:53");
    four.into_iter().chain(towards("[::]:0", "[2620:fe::fe]:53")).collect()
}
