//! What sections say of the pages below them, in their `_index.md`: that they are drafts with all they hold (Hugo, Zola), and
//! which values pages are to have that say nothing themselves (Hugo's `cascade`). Knows no file system: it is handed names and
//! front matters.

use serde_json::{Map, Value};

use super::{Dialect, Rules, glob, hugo};
use crate::domain::front_matter;
use crate::domain::problem::Problem;

/// What a page has from its sections.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inherited {
    /// For keys that the page leaves out.
    pub values: Map<String, Value>,
    /// A section that is a draft is built with nothing in it.
    pub is_draft: bool,
}

/// Those that say something, from the top down.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sections(Vec<Section>);

#[derive(Debug, Clone, PartialEq)]
struct Section {
    /// Below `content`.
    folder: Vec<String>,
    language: Language,
    is_draft: bool,
    cascade: Vec<Cascade>,
}

/// Whose pages a section speaks to.
#[derive(Debug, Clone, PartialEq)]
enum Language {
    /// The site's own configuration does.
    All,
    /// As names of files have it; none: the main one.
    Of(Option<String>),
}

#[derive(Debug, Clone, PartialEq)]
struct Cascade {
    target: Map<String, Value>,
    values: Map<String, Value>,
}

/// Whether a file is a section's own, by its name.
#[must_use]
pub fn is_section_file(dialect: Dialect, relative: &str) -> bool {
    let name = relative.rsplit('/').next().unwrap_or(relative);
    dialect != Dialect::Jekyll && name.starts_with("_index.") && !super::is_scratch(relative)
}

impl Sections {
    /// Those of these files, whose names start below `content`.
    #[must_use]
    pub fn read<'a>(
        files: impl IntoIterator<Item = (String, &'a str, &'a str)>,
        rules: &Rules,
    ) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let own = hugo::setting(&rules.site, "cascade").filter(|_| rules.dialect == Dialect::Hugo);
        let own = own.map(|own| Section {
            folder: Vec::new(),
            language: Language::All,
            is_draft: false,
            cascade: cascade(own),
        });
        let mut all: Vec<Section> = own.into_iter().collect();
        for (name, shown, text) in files {
            let Ok(split) = front_matter::split(text) else { continue };
            match front_matter::read(shown, &split) {
                Ok(front) => all.extend(section(&name, &front, rules)),
                Err(problem) => problems.push(problem),
            }
        }
        all.retain(|section| section.is_draft || !section.cascade.is_empty());
        all.sort_by_key(|section| section.folder.len());
        (Self(all), problems)
    }

    /// What the page at `relative` has; none if no section has anything to say to it.
    #[must_use]
    pub fn inherited(&self, relative: &str, rules: &Rules) -> Option<Inherited> {
        if self.0.is_empty() {
            return None;
        }
        let page = hugo::place(&rules.section, relative, &rules.languages);
        let above: Vec<&Section> = self.0.iter().filter(|section| section.holds(&page)).collect();
        let folders = &page.sections;
        let is_made_a_draft = |depth| {
            let above = above.iter().filter(|section| section.folder.len() <= depth);
            super::is_true(&handed_down(above, &folders[..depth], "section", page.language), "draft")
        };
        let is_draft = above.iter().any(|section| section.is_draft) || (1..=folders.len()).any(is_made_a_draft);
        let path: Vec<&str> = folders.iter().copied().chain([page.name]).collect();
        let values = handed_down(above.iter(), &path, "page", page.language);
        (is_draft || !values.is_empty()).then_some(Inherited { values, is_draft })
    }
}

impl Section {
    fn holds(&self, page: &hugo::Place<'_>) -> bool {
        let speaks = match &self.language {
            Language::All => true,
            Language::Of(language) => language.as_deref() == page.language,
        };
        speaks
            && self.folder.len() <= page.sections.len()
            && self.folder.iter().zip(&page.sections).all(|(own, other)| own == other)
    }
}

fn section(name: &str, front: &Map<String, Value>, rules: &Rules) -> Option<Section> {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let language = file.strip_prefix("_index.")?.rsplit_once('.').map(|(language, _)| language.to_owned());
    let front: Map<String, Value> = front.iter().map(|(key, value)| (key.to_lowercase(), value.clone())).collect();
    Some(Section {
        folder: folder.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
        language: Language::Of(language.filter(|language| rules.languages.iter().skip(1).any(|l| l == language))),
        is_draft: super::is_true(&front, "draft"),
        cascade: front.get("cascade").filter(|_| rules.dialect == Dialect::Hugo).map(cascade).unwrap_or_default(),
    })
}

/// One table, or several with targets of their own.
fn cascade(value: &Value) -> Vec<Cascade> {
    let tables = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let one = |table: &Map<String, Value>| {
        let mut values: Map<String, Value> = table.iter().map(|(k, v)| (k.to_lowercase(), v.clone())).collect();
        let target = ["_target", "target"].iter().find_map(|key| values.remove(*key));
        let target = target.and_then(|target| target.as_object().cloned()).unwrap_or_default();
        Cascade { target, values }
    };
    tables.iter().filter_map(Value::as_object).map(one).collect()
}

/// The nearest section's word counts.
fn handed_down<'a>(
    above: impl Iterator<Item = &'a &'a Section>,
    path: &[&str],
    kind: &str,
    language: Option<&str>,
) -> Map<String, Value> {
    let path = path.join("/");
    let cascades = above.flat_map(|section| &section.cascade);
    let meant = cascades.filter(|cascade| cascade.means(&path, kind, language));
    meant.flat_map(|cascade| cascade.values.clone()).collect()
}

impl Cascade {
    fn means(&self, path: &str, kind: &str, language: Option<&str>) -> bool {
        let asked = |key: &str| self.target.get(key).and_then(Value::as_str);
        // Of what is not understood here it is believed that it is meant: better a post too few than a secret too many.
        let fits = |pattern: &str| pattern.contains('{') || glob::leads_to(pattern, path);
        asked("path").is_none_or(fits)
            && asked("kind").is_none_or(|pattern| pattern.contains('{') || glob::matches(pattern, kind))
            && asked("lang").is_none_or(|asked| language.is_none_or(|language| language == asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(dialect: Dialect, files: &[(&str, &str)], page: &str) -> Option<Inherited> {
        let rules = Rules { languages: vec!["en".into(), "de".into()], ..Rules::sample(dialect) };
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), *name, *text));
        let (sections, problems) = Sections::read(files, &rules);
        assert_eq!(problems, []);
        sections.inherited(page, &rules)
    }

    #[test]
    fn drafts_and_cascades_reach_what_lies_below_them() {
        let draft = &[("a/_index.md", "---\ndraft: true\n---\n")];
        let german = &[("a/_index.de.md", "---\ndraft: true\n---\n")];
        let cascade = &[("_index.md", "+++\n[cascade]\nDraft = true\n+++\n")];
        let targets = &[(
            "a/_index.md",
            "---\ncascade: [{_target: {path: /a/x*}, draft: true}, {_target: {kind: section, path: /a/q}, draft: true}]\n---\n",
        )];
        let hidden = |found: Option<Inherited>| {
            found.is_some_and(|found| found.is_draft || super::super::is_true(&found.values, "draft"))
        };
        for (files, page, expected) in [
            (&draft[..], "a/b.md", true),
            (draft, "a/c/b.md", true),
            (draft, "b.md", false),
            (draft, "ab/b.md", false),
            (draft, "a/b.de.md", false),
            (german, "a/b.md", false),
            (german, "a/b.de.md", true),
            (cascade, "a/b.md", true),
            (cascade, "b.md", true),
            (targets, "a/xa.md", true),
            (targets, "a/xa/index.md", true),
            (targets, "a/ya.md", false),
            (targets, "a/q/b.md", true),
            (targets, "a/r/b.md", false),
        ] {
            assert_eq!(hidden(found(Dialect::Hugo, files, page)), expected, "{files:?} {page}");
        }
        assert!(hidden(found(Dialect::Zola, draft, "a/c/b.md")));
        assert_eq!(found(Dialect::Zola, cascade, "a/b.md"), None);
    }

    #[test]
    fn the_nearest_section_is_heard_and_none_that_says_nothing() {
        let files = [
            ("a/_index.md", "---\ncascade: {author: Ann, tags: [x]}\n---\n"),
            ("a/b/_index.md", "---\ncascade: {author: Bo}\n---\n"),
            ("a/c/_index.md", "---\ntitle: C\n---\n"),
        ];
        let author = |page| found(Dialect::Hugo, &files, page).map(|found| found.values["author"].clone());
        assert_eq!(author("a/x.md").unwrap(), "Ann");
        assert_eq!(author("a/b/x.md").unwrap(), "Bo");
        assert_eq!(author("a/c/x.md").unwrap(), "Ann");
        assert_eq!(author("x.md"), None);
    }
}
