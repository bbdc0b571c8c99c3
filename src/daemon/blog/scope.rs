//! What a pass has to look at.

use crate::render::feed_plan::Plan;

/// What a pass is about: an editor's save of one text must not cost what all feeds of a large blog cost.
pub(super) enum Scope {
    Whole,
    /// Nothing is new but the texts of these posts.
    Texts(Vec<usize>),
}

impl Scope {
    /// Whether anything of a feed or its page may be new.
    pub(super) fn concerns(&self, plan: &Plan) -> bool {
        match self {
            Self::Whole => true,
            Self::Texts(posts) => plan.candidates.iter().any(|post| posts.contains(post)),
        }
    }

    /// The posts that may be new, of so many.
    pub(super) fn posts(&self, count: usize) -> impl Iterator<Item = usize> {
        let (all, some) = match self {
            Self::Whole => (0..count, &[][..]),
            Self::Texts(posts) => (0..0, posts.as_slice()),
        };
        all.chain(some.iter().copied())
    }
}
