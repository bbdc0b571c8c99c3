//! The daemon's pages and the feeds asked for from outside, as mail providers and feed readers do. A GET changes nothing; the one POST has a
//! token that nobody made.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{AGE, CONTENT_TYPE, DATE, HeaderName, LOCATION};
use jiff::SignedDuration;
use jiff::fmt::rfc2822;
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::{Host, Url};

use super::names::Names;
use super::{House, Options, PATIENCE};
use crate::clock::{Clock as _, SystemClock};
use crate::daemon::reader::Reader;
use crate::daemon::web::{self, Ask, Told, Web};
use crate::domain::certificate::{self, Certificate};
use crate::domain::doctor::web as rules;
use crate::domain::doctor::{Area, Finding, skip};
use crate::domain::feed_check::{check, http};
use crate::domain::feed_document;
use crate::domain::feed_format::Format;
use crate::mail::tls;
use crate::render::message::unsubscribe_link;

/// A reader like any other. What asks for browsers' sake only keeps these out.
const READER: Reader =
    Reader { agent: Some("Mozilla/5.0 (compatible; feed reader)"), patience: Some(Duration::from_secs(15)) };
/// Nobody's: subscribers are counted from 1.
const NOBODY: i64 = 0;
const MOST: usize = 1 << 20;

pub struct Seen {
    pub findings: Vec<Finding>,
    /// By how much each server's clock is later than ours.
    pub clocks: Vec<(String, SignedDuration)>,
}

pub async fn look(house: &House, names: &Names, options: &Options) -> anyhow::Result<Seen> {
    let config = &house.config;
    let (pages, feeds) = (config.public_url().to_owned(), config.feeds_url().to_owned());
    let mut told = Told::new();
    for host in [&pages, &feeds].into_iter().filter_map(|url| name_of(url)).filter(|_| names.told) {
        let addresses = names.addresses(&host).await;
        told.insert(host, addresses);
    }
    let mut visit = Visit { web: Web::knowing(told.clone())?, told, clocks: Vec::new() };
    let mut findings = Vec::new();
    if options.looks_at(Area::Web) || options.looks_at(Area::Clock) {
        findings.extend(match out_of_reach(house, &pages) {
            Some(why) => skip(Area::Web, &why),
            None => rules::pages(&visit.pages(house, &pages).await, options.now),
        });
    }
    if options.looks_at(Area::Feeds) {
        findings.extend(if loopback(&feeds) {
            let why = format!("readers elsewhere cannot reach `{feeds}`: `url` below `[site]` or `[feeds]`");
            skip(Area::Feeds, &why)
        } else {
            rules::feeds(&visit.feeds(house, &feeds).await)
        });
    }
    Ok(Seen { findings, clocks: visit.clocks })
}

/// Why the daemon's pages are not asked for.
fn out_of_reach(house: &House, url: &str) -> Option<String> {
    let config = &house.config;
    if house.mails() {
        return None;
    }
    if loopback(url) {
        return Some(format!("readers elsewhere cannot reach `{url}`: `url` below `[http]`"));
    }
    let unsaid = config.http.url.is_empty();
    unsaid.then(|| "it is not said where readers reach the daemon: `url` below `[http]`".to_owned())
}

/// A host that is a name, not a number.
fn name_of(url: &str) -> Option<String> {
    match Url::parse(url).ok()?.host()? {
        Host::Domain(name) => Some(name.to_owned()),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

fn loopback(url: &str) -> bool {
    match Url::parse(url).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(four)) => four.is_loopback(),
        Some(Host::Ipv6(six)) => six.is_loopback(),
        None => false,
    }
}

struct Visit {
    web: Web,
    told: Told,
    clocks: Vec<(String, SignedDuration)>,
}

impl Visit {
    async fn pages(&mut self, house: &House, url: &str) -> rules::Pages {
        let link = |token: &str| format!("{url}/unsubscribe/{token}");
        let genuine = match &house.sender {
            Ok(sender) if house.store.is_some() => unsubscribe_link(sender, NOBODY, SystemClock.now()).ok(),
            _ => None,
        };
        let genuine = match genuine {
            Some(link) => Some(self.called(Ask::get(link).redirects(0)).await),
            None => None,
        };
        let made_up = link("made-up-by-gazetted-doctor");
        let post = Ask::post(&made_up, "List-Unsubscribe=One-Click");
        rules::Pages {
            url: url.to_owned(),
            live: self.called(Ask::get(format!("{url}/livez")).redirects(0)).await,
            genuine,
            posted: self.called(post.header(CONTENT_TYPE, "application/x-www-form-urlencoded")).await,
            made_up: self.called(Ask::get(made_up).redirects(0)).await,
            certificate: self.certificate(url).await,
            mails: house.mails(),
        }
    }

    async fn called(&mut self, ask: Ask) -> rules::Called {
        let answer = self.web.ask(&ask.patience(PATIENCE).most(MOST)).await.map_err(|error| error.to_string())?;
        self.note_clock(&answer);
        let text =
            |name: HeaderName| answer.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        Ok(rules::Answer {
            status: answer.status.as_u16(),
            location: Some(text(LOCATION)).filter(|to| !to.is_empty()),
            media_type: text(CONTENT_TYPE),
            body: String::from_utf8_lossy(&answer.body).into_owned(),
        })
    }

    /// What comes out of a cache has the time at which it went in.
    fn note_clock(&mut self, answer: &web::Answer) {
        let said = answer.headers.get(DATE).and_then(|date| date.to_str().ok());
        let at = said.and_then(|said| rfc2822::DateTimeParser::new().parse_timestamp(said).ok());
        let Some(at) = at.filter(|_| !answer.headers.contains_key(AGE)) else { return };
        let who = answer.address.host_str().unwrap_or_default().to_owned();
        if !self.clocks.iter().any(|(known, _)| *known == who) {
            self.clocks.push((who, at.duration_since(SystemClock.now())));
        }
    }

    /// That of an https address, on a connection of its own.
    async fn certificate(&self, url: &str) -> Option<Result<(String, Certificate), String>> {
        let url = Url::parse(url).ok().filter(|url| url.scheme() == "https")?;
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default()?;
        Some(self.shaken(&host, port).await)
    }

    async fn shaken(&self, host: &str, port: u16) -> Result<(String, Certificate), String> {
        let config = tls::config(std::path::Path::new(""))?;
        let connecting = async {
            match self.told.get(host) {
                Some(known) => TcpStream::connect(&*at(known, port)).await,
                None => TcpStream::connect((host, port)).await,
            }
        };
        let stream = timeout(PATIENCE, connecting).await.map_err(|_| "no connection in time".to_owned())?;
        let stream = stream.map_err(|error| error.to_string())?;
        let (_, told) = tls::upgrade(Box::new(stream), host, Arc::clone(&config), PATIENCE).await?;
        let read = certificate::read(&told.certificate).ok_or("its certificate cannot be read")?;
        Ok((told.version, read))
    }

    async fn feeds(&mut self, house: &House, url: &str) -> Vec<rules::Feed> {
        let settings = &house.config.feeds;
        let mut feeds = Vec::new();
        for format in &settings.formats {
            let name = match format {
                Format::Rss => &settings.rss,
                Format::Atom => &settings.atom,
                Format::Json => &settings.json,
            };
            let written = tokio::fs::read(house.config.path(&settings.out).join(name)).await.ok();
            let address = format!("{url}/{name}");
            let looked = self.feed(&address, written.as_deref()).await;
            feeds.push(rules::Feed { address, looked });
        }
        feeds
    }

    async fn feed(&mut self, address: &str, written: Option<&[u8]>) -> Result<rules::Looked, String> {
        let answer = self.web.ask(&READER.ask(address)).await.map_err(|error| error.to_string())?;
        self.note_clock(&answer);
        let heard = READER.heard(&self.web, &answer).await;
        let now = SystemClock.now();
        let verdict = check(address, &answer.body, Some(&answer.address), now);
        let said = http::check(address, &heard, &answer.body, &verdict, now);
        Ok(rules::Looked {
            status: heard.status,
            problems: said.into_iter().chain(verdict.problems).collect(),
            kinship: kinship(&answer.body, written),
            by_etag: heard.by_etag,
            by_date: heard.by_date,
            gzip: heard.compressed,
        })
    }
}

fn at(addresses: &[IpAddr], port: u16) -> Vec<SocketAddr> {
    addresses.iter().map(|address| SocketAddr::new(*address, port)).collect()
}

fn kinship(served: &[u8], written: Option<&[u8]>) -> rules::Kinship {
    let Some(written) = written else { return rules::Kinship::NotWritten };
    if served == written {
        return rules::Kinship::Same;
    }
    let ids = |bytes: &[u8]| -> Vec<String> {
        let read = feed_document::read(bytes, None).map(|document| document.entries).unwrap_or_default();
        read.into_iter().filter_map(|entry| entry.id).collect()
    };
    let ours = ids(written);
    if ids(served).iter().any(|id| ours.contains(id)) { rules::Kinship::Older } else { rules::Kinship::Stranger }
}
