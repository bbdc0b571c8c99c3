//! Each relay greeted, encrypted and logged in to, and left again: no message is sent.

use std::time::Duration;

use jiff::Timestamp;
use rustix::fs::{Access, access};
use secrecy::ExposeSecret as _;

use super::names::is_here;
use crate::config::{Config, Smtp, Tls};
use crate::daemon::sending;
use crate::domain::bounce::Stage;
use crate::domain::certificate;
use crate::domain::doctor::Finding;
use crate::domain::doctor::relays::{Kind, Met, Parted, Relay, Talk, findings};
use crate::mail::transport::{Probed, Transport};

/// Nobody waits a minute for a greeting.
const PATIENCE: Duration = Duration::from_secs(10);

pub async fn look(config: &Config, largest: Option<usize>, now: Timestamp) -> anyhow::Result<Vec<Finding>> {
    let mut hasty = config.clone();
    for smtp in &mut hasty.smtp {
        smtp.timeout = smtp.timeout.at_most(PATIENCE);
        // An empty password would be refused, and count against the user.
        if smtp.password.expose_secret().is_empty() {
            smtp.user.clear();
        }
    }
    let ways = match sending::ways(&hasty) {
        Ok(ways) => ways,
        Err(error) => {
            let remedy = "have the file there in PEM, or leave `ca_file` below `[smtp]` out";
            return Ok(vec![Finding::wrong("smtp-tls", error.to_string(), remedy)]);
        }
    };
    let mut relays = Vec::new();
    for ((smtp, given), way) in hasty.smtp.iter().zip(&config.smtp).zip(ways) {
        let password_elsewhere = smtp.user != given.user;
        let kind = meet(smtp, password_elsewhere, &way.transport).await;
        relays.push(Relay { name: way.transport.name(), kind });
    }
    Ok(findings(&relays, largest, now))
}

async fn meet(smtp: &Smtp, password_elsewhere: bool, over: &Transport) -> Kind {
    if !smtp.sendmail.as_os_str().is_empty() {
        return Kind::Program(access(&smtp.sendmail, Access::EXEC_OK).map_err(|error| error.to_string()));
    }
    let tls = match smtp.tls {
        Tls::Starttls => "starttls",
        Tls::Tls => "tls",
        Tls::None => "none",
    };
    let met = match over.probe().await {
        Ok(probed) => Ok(met(probed)),
        Err(failure) => {
            let at_tls = failure.stage == Stage::StartTls || failure.words.contains("TLS");
            // Its name stands before the words already.
            let (name, host) = (format!("{}: ", over.name()), format!("{}: ", smtp.host));
            let words = failure.words.strip_prefix(&name).or_else(|| failure.words.strip_prefix(&host));
            let words = words.unwrap_or(&failure.words).to_owned();
            Err(Parted { at_tls, words })
        }
    };
    Kind::Server(Talk { tls, here: is_here(smtp), password_elsewhere, met })
}

fn met(probed: Probed) -> Met {
    let certificate = probed.encryption.as_ref().and_then(|told| certificate::read(&told.certificate));
    Met {
        version: probed.encryption.map(|told| told.version),
        certificate,
        offers: probed.offers,
        size: probed.size,
        login: probed.login.map(|login| login.map_err(|failure| failure.words)),
    }
}
