//! How things stand, told to whoever watches: numbers for `/metrics`, a sentence for `systemctl status`.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Reached, Service};
use crate::daemon::{editions, systemd};
use crate::domain::wording;
use crate::http::{self, Tls};

impl Service {
    /// After every pass and heartbeat, whatever came of it.
    pub(super) fn tell_standing(&self) {
        let standing = self.standing(self.clock.now());
        systemd::status(&self.sentence(&standing));
        self.shared.tell_standing(standing);
    }

    fn standing(&self, now: Timestamp) -> http::Standing {
        let mut posts = BTreeMap::new();
        for post in &self.blog.catalogue.posts {
            *posts.entry(post.state.as_str()).or_insert(0) += 1;
        }
        http::Standing {
            posts,
            errors: self.problems.0,
            warnings: self.problems.1,
            unfinished: self.reached != Reached::Feeds,
            scanned_at: self.scanned_at,
            next_digest: self.config.digest.enabled.then(|| editions::next_due(&self.config, now)).flatten(),
            leads: self.leads,
            clock_doubted: self.trust.is_in_doubt(),
            tls_until: self.tls.as_ref().and_then(Tls::until),
            beat_at: self.beat_at,
        }
    }

    /// For whoever looks with `systemctl status`.
    fn sentence(&self, standing: &http::Standing) -> String {
        let http::Standing { posts, errors, next_digest, clock_doubted, .. } = standing;
        let count = |count: u64, noun| wording::digits(u32::try_from(count).unwrap_or(u32::MAX), noun);
        let mut said = count(posts.get("published").copied().unwrap_or_default(), "post");
        if *errors > 0 {
            said.push_str(&format!(", {}", count(*errors, "error")));
        }
        if let Some(due) = *next_digest {
            said.push_str(
                &self.config.site.zone().to_datetime(due).strftime("; next digest %Y-%m-%d %H:%M").to_string(),
            );
        }
        if *clock_doubted {
            said.push_str("; nothing is sent: the clock has jumped");
        }
        said
    }
}
