//! The goals of the configuration, and what stands behind their numbers.

use jiff::Timestamp;

use super::{Blog, specs};
use crate::domain::goal::{self, Bounds, GoalStatus};
use crate::domain::post::{Post, State};
use crate::domain::problem::Problem;
use crate::domain::record::{Known, Record, record};

/// So many drafts are read for their words; a folder of a hundred old ones is no pipeline.
const DRAFTS: usize = 20;

impl Blog {
    /// How every goal of the configuration stands.
    #[must_use]
    pub fn goals(&self, now: Timestamp, bounds: Bounds) -> Vec<GoalStatus> {
        let zone = self.config.site.zone();
        let status = |spec: &goal::Spec| goal::status(spec, &self.catalogue.posts, &zone, now, bounds);
        specs(&self.config.goal).iter().map(status).collect()
    }

    /// Goals of somebody or something that no post, not even a draft, is by or about.
    pub(super) fn goal_problems(&self) -> Vec<Problem> {
        let posts = &self.catalogue.posts;
        let mut problems = Vec::new();
        for spec in specs(&self.config.goal).iter().filter(|_| !posts.is_empty()) {
            let alone = [
                ("author", &spec.author, goal::Spec { author: spec.author.clone(), ..goal::Spec::default() }),
                ("tag", &spec.tag, goal::Spec { tag: spec.tag.clone(), ..goal::Spec::default() }),
                ("section", &spec.section, goal::Spec { section: spec.section.clone(), ..goal::Spec::default() }),
            ];
            for (key, wanted, alone) in alone {
                let Some(wanted) = wanted.as_ref().filter(|_| !posts.iter().any(|post| alone.wants(post))) else {
                    continue;
                };
                let message =
                    format!("the goal `{}` has `{key} = \"{wanted}\"`, and no post has that {key}", spec.name);
                problems
                    .push(Problem::warning("goal", "goal", message).hint("it counts nothing; look at its spelling"));
            }
        }
        problems
    }

    /// Every goal with the posts it counts, for everybody: what is to come is named if the digest may name it.
    pub fn records(&mut self, now: Timestamp) -> Vec<Record> {
        let mut records = self.records_of(&specs(&self.config.goal), now);
        if !self.config.digest.drafts {
            records.iter_mut().for_each(Record::keep_to_ourselves);
        }
        records
    }

    /// The same for those who write the blog: with all that is to come.
    pub fn records_of(&mut self, specs: &[goal::Spec], now: Timestamp) -> Vec<Record> {
        if specs.is_empty() {
            return Vec::new();
        }
        self.read_drafts();
        let zone = self.config.site.zone();
        specs.iter().map(|spec| record(spec, &self.catalogue.posts, &zone, now, self)).collect()
    }

    fn read_drafts(&mut self) {
        let posts = &self.catalogue.posts;
        let mut drafts: Vec<usize> = (0..posts.len()).filter(|index| posts[*index].state == State::Draft).collect();
        drafts.sort_by_key(|index| std::cmp::Reverse(posts[*index].modified));
        drafts.truncate(DRAFTS);
        self.render_posts(&drafts);
    }
}

impl Known for Blog {
    fn seen(&self, post: &Post) -> Option<Timestamp> {
        self.row(post).filter(|row| !row.baseline).map(|row| row.first_seen)
    }

    fn words(&self, post: &Post) -> usize {
        self.body(post).map_or(0, |body| body.words)
    }
}
