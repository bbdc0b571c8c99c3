//! What readers will see before they do: the feeds as they would be, where a post is in them, what would be new. Changes
//! nothing outside.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::Blog;
use super::scope::Scope;
use crate::domain::identity::EntryRow;
use crate::domain::post::{Post, language_code};
use crate::domain::problem::Problem;
use crate::render::feed::{self, Settings};
use crate::render::feed_plan::{self, Kind, Plan};

/// A feed that has a post, or would have if it had room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InFeed {
    pub title: String,
    pub files: Vec<String>,
    /// From 1; none: it is not in it.
    pub place: Option<usize>,
    pub entries: usize,
    /// Why it is not in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
}

/// What readers will see that they have not seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    pub new: Vec<Change>,
    pub changed: Vec<Change>,
    pub gone: Vec<Change>,
    /// Files that would be written.
    pub files: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    pub title: String,
    pub path: String,
    pub id: String,
    pub url: String,
    /// `text`, `title`, `address`, `date`, `authors`, `tags`, `summary`, `image`, `enclosure`, `language`, `date of change`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub what: Vec<&'static str>,
    /// Whether the entry's date of change moves, so that readers show it again.
    pub updated: bool,
}

impl Blog {
    /// The feeds as they would be, from the catalogue as it is assembled; gives what is wrong with them.
    pub fn look(&mut self) -> Vec<Problem> {
        let settings = self.settings();
        let planned = feed_plan::plan(&self.catalogue, &settings, &self.memory);
        self.plans = planned.plans;
        self.cut(&settings, &Scope::Whole);
        planned.problems
    }

    /// Every feed that has the post, or has it not for want of room.
    #[must_use]
    pub fn feeds_of(&self, post: &Post) -> Vec<InFeed> {
        let settings = self.settings();
        let Some(index) = self.catalogue.posts.iter().position(|other| other.path == post.path) else {
            return Vec::new();
        };
        self.plans.iter().filter_map(|plan| self.in_feed(plan, index, &settings)).collect()
    }

    fn in_feed(&self, plan: &Plan, index: usize, settings: &Settings) -> Option<InFeed> {
        let post = &self.catalogue.posts[index];
        let place = plan.posts.iter().position(|other| *other == index).map(|at| at + 1);
        let why_not = match place {
            Some(_) => None,
            None if plan.candidates.contains(&index) => {
                Some(format!("the entries before it fill `feeds.max_bytes` ({})", settings.max_bytes))
            }
            None => Some(self.why_not(plan, post, settings)?),
        };
        Some(InFeed {
            title: feed::build(plan, Vec::new(), settings).title,
            files: plan.files.iter().map(|(_, file)| file.clone()).collect(),
            place,
            entries: plan.posts.len(),
            why_not,
        })
    }

    /// `None`: the feed is not about the post at all.
    fn why_not(&self, plan: &Plan, post: &Post, settings: &Settings) -> Option<String> {
        let is = |name: &str| name.to_lowercase() == plan.name.to_lowercase();
        let about = match plan.kind {
            Kind::All => true,
            Kind::Tag => post.tagged(&plan.name),
            Kind::Category => post.categories.iter().any(|category| is(category)),
            Kind::Author => post.authors.iter().any(|author| is(&author.name)),
            Kind::Section => post.section.as_deref().is_some_and(is),
            Kind::Language => language_code(post.language_or(&settings.language)) == plan.name,
            Kind::Extra | Kind::Archive => false,
        };
        if !about {
            return None;
        }
        if !post.is_published() {
            return Some(format!("it is not published: its state is {}", post.state.as_str()));
        }
        let old = match plan.kind {
            Kind::All => feed_plan::is_old_news(post, &feed_plan::sealed(&self.memory, ""), settings, &self.memory),
            _ => feed_plan::is_before(post, self.memory.since(plan.key())),
        };
        Some(if old {
            "it was not in the feed that stood there before, and would look new".to_owned()
        } else {
            format!("{} newer ones are as many as fit (`feeds.limit` is {})", plan.posts.len(), settings.limit)
        })
    }

    /// What readers will see that they have not seen, from the files as last scanned.
    pub fn changes(&mut self, now: Timestamp) -> Changes {
        let rows = self.assemble(now);
        let mut all = Changes::default();
        let doubtful: Vec<usize> =
            self.catalogue.posts.iter().enumerate().filter(|(_, p)| self.is_other(p)).map(|(i, _)| i).collect();
        self.render_posts(&doubtful);
        self.look();
        let (files, other) = self.ahead();
        all.files = files;
        for post in self.catalogue.posts.iter().filter(|post| post.is_published()) {
            match self.ledger.get(&post.id) {
                None => all.new.push(change(post, Vec::new(), false)),
                Some(row) if row.withdrawn_at.is_some() => all.new.push(change(post, Vec::new(), false)),
                Some(row) => all.changed.extend(self.difference(post, row, other.get(&post.id))),
            }
        }
        let left = rows.iter().filter(|row| row.withdrawn_at.is_some()).filter_map(|row| self.ledger.get(&row.id));
        all.gone.extend(left.filter(|before| before.withdrawn_at.is_none()).map(|before| Change {
            title: before.title.clone(),
            path: before.path.clone(),
            id: before.id.clone(),
            url: before.url.clone(),
            what: Vec::new(),
            updated: false,
        }));
        all
    }

    fn is_other(&self, post: &Post) -> bool {
        self.ledger.get(&post.id).is_some_and(|row| row.body_hash != post.body_hash)
    }

    /// What is not as the ledger has it, and what else the feeds that stand there say otherwise.
    fn difference(&self, post: &Post, row: &EntryRow, other: Option<&BTreeSet<&'static str>>) -> Option<Change> {
        let text = self.body(post).map(|body| body.text_hash);
        let differs = self.is_other(post) && (text.is_none() || row.text_hash.is_some() && text != row.text_hash);
        let known = [
            (differs, "text"),
            (row.title != post.title, "title"),
            (row.url != post.url, "address"),
            (row.published_at != post.date, "date"),
        ];
        let mut what: Vec<&'static str> = known.into_iter().filter_map(|(is, what)| is.then_some(what)).collect();
        let other = other.into_iter().flatten().copied();
        what.extend(other.filter(|other| *other != "text" || !differs));
        let updated = differs && !post.minor || what.contains(&"date of change");
        (!what.is_empty()).then(|| change(post, what, updated))
    }
}

fn change(post: &Post, what: Vec<&'static str>, updated: bool) -> Change {
    Change {
        title: post.title.clone(),
        path: post.path.to_string(),
        id: post.id.clone(),
        url: post.url.clone(),
        what,
        updated,
    }
}
