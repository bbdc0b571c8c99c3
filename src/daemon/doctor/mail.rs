//! A digest made in memory and signed as all are, and one that somebody saved from their mailbox.

use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;

use super::House;
use crate::config::bounded;
use crate::daemon::editions;
use crate::daemon::preview::Preview;
use crate::domain::doctor::mail::{OwnSignature, Received};
use crate::domain::doctor::{Finding, dkim, mail as rules};
use crate::domain::period::{Per, Period};
use crate::render::dkim::verify::verify;
use crate::render::message::{Recipient, compose};

/// Of a saved mail.
const LONGEST: u64 = 5_000_000;

pub struct Sample {
    pub bytes: Vec<u8>,
    /// Of this one, and of the newest that was sent.
    pub largest: usize,
}

/// The digest of the newest post's month, for nobody.
pub async fn sample(house: &mut House, now: Timestamp) -> Result<Sample, String> {
    let config = std::sync::Arc::clone(&house.config);
    let blog = house.blog.as_mut().ok_or("the store does not answer")?;
    blog.scan(now);
    blog.assemble(now);
    let newest = blog.catalogue.posts.iter().filter(|post| post.is_published()).filter_map(|post| post.date).max();
    let period = Period::at(Per::Month, newest.unwrap_or(now), &config.site.zone());
    let templates = editions::templates(&config.path(&config.digest.templates));
    let templates = templates.map_err(|problems| problems.first().map_or_else(String::new, ToString::to_string))?;
    let preview = Preview::of(blog, &templates, period, now, now).map_err(|problem| problem.to_string())?;
    let sender = house.sender.as_ref().map_err(Clone::clone)?;
    let nobody = Recipient { subscriber: 0, email: "reader@example.org", name: None };
    let message = compose(sender, &preview.edition, nobody).map_err(|error| error.to_string())?;
    let sent = match &house.store {
        Some(store) => store.latest_edition().await.ok().flatten(),
        None => None,
    };
    let sent = sent.map_or(0, |edition| edition.text.len() + edition.html.len());
    Ok(Sample { largest: message.bytes.len().max(sent), bytes: message.bytes })
}

/// `keys`: what stands in the DNS for each of our keys, if that was asked.
pub fn look(house: &House, sample: Result<Sample, String>, keys: &[Option<String>]) -> Vec<Finding> {
    let given = &house.config.digest.from;
    let domain = given.rsplit_once('@').map_or("", |(_, domain)| domain.trim_end_matches('>').trim());
    let mut found = vec![rules::from(given, domain), bounces(house)];
    let sample = match sample {
        Ok(sample) => sample,
        Err(words) => {
            found.push(Finding::wrong(
                "message",
                format!("no digest can be made: {words}"),
                "mend what is named; `gazetted check` tells more",
            ));
            found.push(Finding::skipped("signature", "no digest can be made"));
            return found;
        }
    };
    let text = String::from_utf8_lossy(&sample.bytes);
    found.push(rules::message(&text, domain));
    let signers = house.sender.as_ref().map(|sender| sender.dkim.as_slice()).unwrap_or_default();
    let own: Vec<OwnSignature> = signers
        .iter()
        .enumerate()
        .map(|(nth, signer)| {
            let record = keys.get(nth).cloned().flatten();
            let verifies = record.map(|text| dkim::parse(&text).and_then(|key| verify(&sample.bytes, nth, &key)));
            OwnSignature { domain: signer.domain().to_owned(), selector: signer.selector().to_owned(), verifies }
        })
        .collect();
    found.extend(rules::signatures(&text, &own));
    if !own.is_empty() {
        found.extend(house.config.smtp.iter().filter_map(|smtp| rules::rewritten(&smtp.host)));
    }
    found
}

fn bounces(house: &House) -> Finding {
    let bounces = &house.config.bounces;
    let looks = !bounces.maildir.as_os_str().is_empty() || !bounces.imap_host.is_empty();
    rules::bounces(&bounces.address, looks)
}

/// What a saved mail says, and what is to be said of it.
pub fn received(file: Option<&Path>) -> anyhow::Result<(Received, Vec<Finding>)> {
    let Some(file) = file else { return Ok((Received::default(), Vec::new())) };
    let shown = file.display().to_string();
    let bytes = bounded::bytes(file, LONGEST).with_context(|| format!("`{shown}` cannot be read"))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(rules::received(&shown, &text))
}
