//! A name server that knows what it is told, over UDP and TCP.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, MX, PTR, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

/// Whoever asks over UDP for one of these is sent to TCP, as for an answer that is too long.
const ONLY_OVER_TCP: &str = "_domainkey";

pub struct DnsServer {
    pub address: SocketAddr,
    /// Whether anybody has come over TCP.
    asked: Arc<Mutex<BTreeSet<&'static str>>>,
}

struct Zone {
    records: Vec<Record>,
}

impl DnsServer {
    /// `lines`: `name TYPE value`, one record each.
    pub fn start(lines: &str) -> Self {
        let zone = Arc::new(Zone {
            records: lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(record).collect(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let socket = UdpSocket::bind(address).unwrap();
        let asked = Arc::new(Mutex::new(BTreeSet::new()));
        let (over_tcp, seen) = (Arc::clone(&zone), Arc::clone(&asked));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                seen.lock().unwrap().insert("tcp");
                let zone = Arc::clone(&over_tcp);
                std::thread::spawn(move || {
                    let mut length = [0; 2];
                    while stream.read_exact(&mut length).is_ok() {
                        let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
                        stream.read_exact(&mut question).unwrap();
                        let answer = zone.answer(&question, false);
                        let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
                        stream.write_all(&[&length[..], &answer].concat()).unwrap();
                    }
                });
            }
        });
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut question = [0; 4096];
            while let Ok((length, from)) = socket.recv_from(&mut question) {
                seen.lock().unwrap().insert("udp");
                let _ = socket.send_to(&zone.answer(&question[..length], true), from);
            }
        });
        Self { address, asked }
    }

    /// `udp`, `tcp`, or both.
    pub fn asked(&self) -> Vec<&'static str> {
        self.asked.lock().unwrap().iter().copied().collect()
    }
}

impl Zone {
    fn answer(&self, question: &[u8], over_udp: bool) -> Vec<u8> {
        let asked = Message::from_vec(question).unwrap();
        let query = asked.queries[0].clone();
        let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
        answer.metadata.recursion_desired = true;
        answer.metadata.recursion_available = true;
        let same = |record: &&Record| record.name.eq_ignore_root_case(query.name());
        let there = self.records.iter().any(|record| query.name().zone_of(&record.name));
        if !there {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        let found = self.records.iter().filter(same).filter(|record| record.record_type() == query.query_type());
        if over_udp && query.name().to_string().contains(ONLY_OVER_TCP) {
            answer.metadata.truncation = true;
        } else {
            answer.add_answers(found.cloned());
        }
        answer.add_query(query);
        answer.to_vec().unwrap()
    }
}

fn record(line: &str) -> Record {
    let mut parts = line.splitn(3, ' ');
    let (name, kind, value) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let name_of = |text: &str| Name::from_ascii(format!("{}.", text.trim_end_matches('.'))).unwrap();
    let kind: RecordType = kind.parse().unwrap();
    let data = match kind {
        RecordType::A => RData::A(A(value.parse().unwrap())),
        RecordType::AAAA => RData::AAAA(AAAA(value.parse().unwrap())),
        RecordType::PTR => RData::PTR(PTR(name_of(value))),
        RecordType::MX => {
            let (preference, host) = value.split_once(' ').unwrap();
            RData::MX(MX::new(preference.parse().unwrap(), name_of(host)))
        }
        _ => RData::TXT(TXT::from_bytes(value.as_bytes().chunks(255).collect())),
    };
    Record::from_rdata(name_of(name), 60, data)
}
