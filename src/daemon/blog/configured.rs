//! What the configuration, and what the site says of itself, mean for feeds and goals.

use super::pages;
use crate::config::{Config, Goal};
use crate::domain::author::Author;
use crate::domain::extra_feed::ExtraFeed;
use crate::domain::feed_format::{FeedContent, Format};
use crate::domain::goal;
use crate::domain::period::{Days, Period};
use crate::http::OPML;
use crate::render::feed::Settings;
use crate::scan::Site;

/// By the names that the feeds have now, and by the endings of what stands beside them.
#[must_use]
pub fn media_type(path: &str, settings: &Settings) -> &'static str {
    if pages::is_page(path) {
        return "text/html";
    }
    if path == settings.stylesheet {
        return "text/css";
    }
    let extra = settings.extra.iter().find(|extra| extra.path == path).map(ExtraFeed::format);
    let named = |(_, name): &&(Format, String)| path == name || path.ends_with(&format!("/{name}"));
    let format = extra.or_else(|| settings.formats.iter().find(named).map(|(format, _)| *format));
    format.map_or(OPML, Format::media_type)
}

/// What the feeds are to be, from the configuration and what the site says of itself.
#[must_use]
pub fn settings(config: &Config, site: &Site) -> Settings {
    let feeds = &config.feeds;
    let trimmed = |url: &str| url.trim_end_matches('/').to_owned();
    let site_url = trimmed(&config.site.url);
    let author = site.rules.default_author.clone().or_else(|| {
        let email = Some(config.site.email.clone()).filter(|e| !e.is_empty())?;
        Some(Author { email: Some(email), ..Author::named(site.title(config)) })
    });
    let named = |format: &Format| match format {
        Format::Rss => (*format, feeds.rss.clone()),
        Format::Atom => (*format, feeds.atom.clone()),
        Format::Json => (*format, feeds.json.clone()),
    };
    let mut formats: Vec<(Format, String)> = feeds.formats.iter().map(named).collect();
    formats.sort();
    formats.dedup();
    Settings {
        title: site.title(config),
        description: site.description(config),
        feeds_url: config.feeds_url().to_owned(),
        site_url,
        language: config.site.language.clone(),
        author,
        formats,
        opml: feeds.opml.clone(),
        limit: feeds.limit,
        full: feeds.content == FeedContent::Full,
        tags: feeds.tags,
        authors: feeds.authors,
        categories: feeds.categories,
        max_bytes: feeds.max_bytes,
        sections: feeds.sections,
        languages: feeds.languages,
        extra: feeds.extra.clone(),
        stylesheet: feeds.stylesheet.clone(),
        pages: feeds.pages,
        tombstones: feeds.tombstones,
        hubs: config.hubs(),
    }
}

/// The goals of the configuration as the domain counts them; `load` has checked their dates. Each has an address of its own.
#[must_use]
pub fn specs(goals: &[Goal]) -> Vec<goal::Spec> {
    let mut specs: Vec<goal::Spec> = Vec::with_capacity(goals.len());
    for goal in goals {
        let mut spec = spec(goal);
        let plain = spec.slug.clone();
        let mut number = 1;
        while specs.iter().any(|before| before.slug == spec.slug) {
            number += 1;
            spec.slug = format!("{plain}-{number}");
        }
        specs.push(spec);
    }
    specs
}

/// One goal by itself.
#[must_use]
pub fn spec(goal: &Goal) -> goal::Spec {
    let optional = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    let named = [&goal.name, &goal.author, &goal.tag, &goal.section].into_iter().find(|name| !name.trim().is_empty());
    let name = named.map_or("goal", |name| name.trim()).to_owned();
    let slug = Some(slug::slugify(&name)).filter(|slug| !slug.is_empty() && Period::parse(slug).is_none());
    goal::Spec {
        slug: slug.unwrap_or_else(|| format!("goal-{}", slug::slugify(&name)).trim_end_matches('-').to_owned()),
        name,
        posts: goal.posts,
        per: goal.per,
        since: Days::parse(&goal.since).map(|days| days.first),
        author: optional(&goal.author),
        tag: optional(&goal.tag),
        section: optional(&goal.section),
        pauses: goal.pauses.iter().filter_map(|p| Days::parse(p)).collect(),
    }
}
