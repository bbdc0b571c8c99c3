//! The files beside the feeds: their pages for people and their stylesheet. A page that somebody else has put there (the
//! blog's own page of a tag, say) is theirs and stays.

use hashbrown::HashMap;

use super::outputs::FAILED;
use super::scope::Scope;
use super::{Blog, PassError};
use crate::daemon::editions;
use crate::domain::hash::{self, Hasher};
use crate::domain::post::Post;
use crate::domain::problem::Problem;
use crate::publish::{self, Output};
use crate::render::feed::{self, Settings};
use crate::render::feed_page::{self, Around, LIST, Listed};
use crate::render::feed_plan::{Kind, Plan};
use crate::render::templates::Templates;

/// How long a page's list of posts is.
const POSTS: usize = 50;

/// A page to be: its file, what it is made from, and of which feed it is; none: of all.
struct Page {
    path: String,
    fingerprint: u128,
    plan: Option<usize>,
}

/// The files beside the feeds.
pub(super) fn paths<'a>(plans: &'a [Plan], settings: &'a Settings) -> impl Iterator<Item = String> + 'a {
    let folders = plans.iter().filter(|plan| has_page(plan)).map(|plan| plan.folder.as_str());
    let pages = folders.chain([LIST]).filter(|_| settings.pages).map(|folder| format!("{folder}index.html"));
    let stylesheet = Some(settings.stylesheet.clone()).filter(|name| !name.is_empty());
    pages.chain(stylesheet)
}

fn has_page(plan: &Plan) -> bool {
    !matches!(plan.kind, Kind::All | Kind::Archive | Kind::Extra)
}

pub(super) fn is_page(path: &str) -> bool {
    std::path::Path::new(path).extension().is_some_and(|ending| ending == "html")
}

impl Blog {
    /// Writes those of the pages, and the stylesheet, that are out of date.
    pub(super) async fn publish_pages(
        &mut self,
        plans: &[Plan],
        scope: &Scope,
        settings: &Settings,
    ) -> Result<Vec<String>, PassError> {
        let replaced = editions::replacements(&self.config.path(&self.config.digest.templates));
        let stale: Vec<Page> = self.stale_pages(plans, scope, settings, &replaced);
        let wants_style = !settings.stylesheet.is_empty() && !self.is_current(&settings.stylesheet, style_version());
        if stale.is_empty() && !wants_style {
            return Ok(Vec::new());
        }
        let templates = match Templates::new(&replaced) {
            Ok(templates) => templates,
            Err(problems) => {
                self.feed_problems.extend(problems);
                return Ok(Vec::new());
            }
        };
        let mut fingerprints: HashMap<String, u128> = stale.iter().map(|p| (p.path.clone(), p.fingerprint)).collect();
        let (mut outputs, problems) = self.render_pages(&stale, plans, settings, &templates);
        self.feed_problems.extend(problems);
        if wants_style {
            let css = feed_page::stylesheet(templates.languages().get(&settings.language));
            fingerprints.insert(settings.stylesheet.clone(), style_version());
            outputs.push(Output { path: settings.stylesheet.clone(), bytes: css.into_bytes() });
        }
        self.put_in_place(&outputs, &fingerprints).await
    }

    fn stale_pages(
        &mut self,
        plans: &[Plan],
        scope: &Scope,
        settings: &Settings,
        replaced: &std::collections::BTreeMap<String, String>,
    ) -> Vec<Page> {
        if !settings.pages {
            return Vec::new();
        }
        let base = Hasher::default()
            .field(env!("CARGO_PKG_VERSION").as_bytes())
            .field(format!("{settings:?}{replaced:?}").as_bytes())
            .field(format!("{:?}{:?}", self.config.site.time_zone, self.subscribe_url()).as_bytes())
            .finish();
        // Templates are looked at in every pass, and are part of every page.
        let scope = if self.pages_base.replace(base) == Some(base) { scope } else { &Scope::Whole };
        let line = |hasher: Hasher, index: &usize| {
            let post = &self.catalogue.posts[*index];
            let date = post.date.map_or(0, jiff::Timestamp::as_microsecond);
            let hasher = hasher.field(post.title.as_bytes()).field(post.url.as_bytes()).field(&date.to_le_bytes());
            post.authors.iter().fold(hasher, |h, author| h.field(author.name.as_bytes()))
        };
        let shown = plans.iter().enumerate().filter(|(_, plan)| has_page(plan) && scope.concerns(plan));
        let pages = shown.map(|(index, plan)| {
            let hasher = Hasher::default().number(base).field(plan.folder.as_bytes()).field(plan.name.as_bytes());
            let fingerprint = plan.candidates.iter().take(POSTS).fold(hasher, line).finish();
            Page { path: format!("{}index.html", plan.folder), fingerprint, plan: Some(index) }
        });
        let names = plans.iter().filter(|plan| plan.kind != Kind::Archive);
        let all = names.fold(Hasher::default().number(base), |h, plan| {
            h.field(plan.folder.as_bytes()).field(plan.name.as_bytes())
        });
        let list = Page { path: format!("{LIST}index.html"), fingerprint: all.finish(), plan: None };
        pages.chain([list]).filter(|page| !self.is_current(&page.path, page.fingerprint)).collect()
    }

    /// Whether a file needs no writing: it is as we wrote it and would write it again, or it is not ours.
    fn is_current(&self, path: &str, fingerprint: u128) -> bool {
        let row = self.outputs.get(path);
        let same = row.is_some_and(|row| row.fingerprint == fingerprint);
        if same && self.verified {
            return true;
        }
        let there = publish::below(&self.out_dir(), path).and_then(|file| std::fs::read(file).ok());
        match (there, row) {
            (None, _) => false,
            (Some(bytes), Some(row)) if hash::of(&bytes) == row.bytes_hash => same,
            (Some(_), _) => is_page(path),
        }
    }

    fn render_pages(
        &self,
        stale: &[Page],
        plans: &[Plan],
        settings: &Settings,
        templates: &Templates,
    ) -> (Vec<Output>, Vec<Problem>) {
        let zone = self.config.site.zone();
        let (stylesheet, opml) = (settings.stylesheet(), feed::address(settings, &settings.opml));
        let (url, subscribe) = (format!("{}/", settings.site_url), self.subscribe_url());
        let around = Around {
            title: &settings.title,
            url: &url,
            language: &settings.language,
            zone: &zone,
            feeds_url: &settings.feeds_url,
            stylesheet: stylesheet.as_deref(),
            opml: &opml,
            subscribe: subscribe.as_deref(),
        };
        let (mut outputs, mut problems) = (Vec::new(), Vec::new());
        for page in stale {
            let html = match page.plan {
                Some(plan) => {
                    let posts: Vec<&Post> =
                        plans[plan].candidates.iter().take(POSTS).map(|i| &self.catalogue.posts[*i]).collect();
                    let feed = feed::build(&plans[plan], Vec::new(), settings);
                    feed_page::one(templates, &around, &feed, &posts)
                }
                None => feed_page::list(templates, &around, &listed(plans, settings)),
            };
            match html {
                Ok(html) => outputs.push(Output { path: page.path.clone(), bytes: html.into_bytes() }),
                Err(problem) => problems.push(Problem { code: FAILED, ..problem }),
            }
        }
        problems.dedup();
        (outputs, problems)
    }

    fn subscribe_url(&self) -> Option<String> {
        self.config.subscribers.form.then(|| format!("{}/subscribe", self.config.public_url()))
    }
}

fn listed(plans: &[Plan], settings: &Settings) -> Vec<Listed> {
    let shown = plans.iter().filter(|plan| plan.kind != Kind::Archive);
    let line = |plan: &Plan| {
        let feed = feed::build(plan, Vec::new(), settings);
        Listed { kind: plan.kind, name: plan.name.clone(), feed }
    };
    shown.map(line).collect()
}

fn style_version() -> u128 {
    hash::of(include_str!("../../../templates/feed.css").as_bytes())
}
