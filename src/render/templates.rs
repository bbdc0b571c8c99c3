//! The templates of digests, notices and pages: embedded, and replaced one by one by the operator's own; and the languages
//! they speak, with `{{ t("key", name=value) }}`. Knows the template engine; what a template is given is the business of
//! the module that renders it. A template error is a problem with a file and a line, never a crash.

use std::collections::BTreeMap;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior};

use super::goal::escape_markdown;
use super::language::{self, Arg, Languages};
use super::report::{self, wrap};
use super::xml::escape;
use super::{approval, digest, feed_page, letter, notice, page};
use crate::domain::problem::Problem;

/// Every template there is, with its embedded text.
pub const EMBEDDED: [(&str, &str); 40] = [
    ("admin_base.html", include_str!("../../templates/admin_base.html")),
    ("admin_bounces.html", include_str!("../../templates/admin_bounces.html")),
    ("admin_confirm.html", include_str!("../../templates/admin_confirm.html")),
    ("admin_edition.html", include_str!("../../templates/admin_edition.html")),
    ("admin_editions.html", include_str!("../../templates/admin_editions.html")),
    ("admin_log.html", include_str!("../../templates/admin_log.html")),
    ("admin_next.html", include_str!("../../templates/admin_next.html")),
    ("admin_overview.html", include_str!("../../templates/admin_overview.html")),
    ("admin_parts.html", include_str!("../../templates/admin_parts.html")),
    ("admin_problems.html", include_str!("../../templates/admin_problems.html")),
    ("admin_reader.html", include_str!("../../templates/admin_reader.html")),
    ("admin_readers.html", include_str!("../../templates/admin_readers.html")),
    ("admin_refused.html", include_str!("../../templates/admin_refused.html")),
    ("admin_sign_in.html", include_str!("../../templates/admin_sign_in.html")),
    ("admin_sign_in_link.html", include_str!("../../templates/admin_sign_in_link.html")),
    ("approval.html", include_str!("../../templates/approval.html")),
    ("approval.txt", include_str!("../../templates/approval.txt")),
    ("ask.html", include_str!("../../templates/ask.html")),
    ("base.html", include_str!("../../templates/base.html")),
    ("digest.html", include_str!("../../templates/digest.html")),
    ("digest.txt", include_str!("../../templates/digest.txt")),
    ("editions.html", include_str!("../../templates/editions.html")),
    ("feed_page.html", include_str!("../../templates/feed_page.html")),
    ("feeds.html", include_str!("../../templates/feeds.html")),
    ("goal.html", include_str!("../../templates/goal.html")),
    ("goal_period.html", include_str!("../../templates/goal_period.html")),
    ("goals.html", include_str!("../../templates/goals.html")),
    ("home.html", include_str!("../../templates/home.html")),
    ("letter.html", include_str!("../../templates/letter.html")),
    ("letter.txt", include_str!("../../templates/letter.txt")),
    ("mail.html", include_str!("../../templates/mail.html")),
    ("message.html", include_str!("../../templates/message.html")),
    ("notice.html", include_str!("../../templates/notice.html")),
    ("notice.txt", include_str!("../../templates/notice.txt")),
    ("preferences.html", include_str!("../../templates/preferences.html")),
    ("report.html", include_str!("../../templates/report.html")),
    ("report.md", include_str!("../../templates/report.md")),
    ("report_fragment.html", include_str!("../../templates/report_fragment.html")),
    ("subscribe.html", include_str!("../../templates/subscribe.html")),
    ("subscribe_form.html", include_str!("../../templates/subscribe_form.html")),
];

/// Steps a template may take: some hundred times what the embedded ones need for the longest month.
const FUEL: u64 = 5_000_000;

#[derive(Debug, Clone)]
pub struct Templates {
    environment: Environment<'static>,
    languages: Languages,
}

impl Templates {
    /// The embedded templates, with those given by name in their place. A name that is none of ours may be included by
    /// the others; `languages/xx.ftl` is a language.
    pub fn new(replaced: &BTreeMap<String, String>) -> Result<Self, Vec<Problem>> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        // Only clashing delimiters are refused, and these are the usual ones.
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
        if let Ok(syntax) = syntax {
            environment.set_syntax(syntax);
        }
        environment.set_formatter(|out, state, value| {
            // The engine's own escape writes every slash of an address as a reference.
            if *state.auto_escape() == AutoEscape::Html && !value.is_safe() && !value.is_none() {
                return out.write_str(&escape(&value.to_string())).map_err(Error::from);
            }
            minijinja::escape_formatter(out, state, value)
        });
        environment.add_filter("wrap", wrapped);
        environment.add_filter("md", |text: &str| escape_markdown(text));
        let mut problems = Vec::new();
        let languages = Languages::new(replaced).unwrap_or_else(|errors| {
            problems.extend(errors);
            Languages::embedded()
        });
        let spoken = languages.clone();
        environment.add_function("t", move |state: &State<'_, '_>, key: String, args: Kwargs| {
            translated(&spoken, state, &key, &args)
        });
        let embedded = EMBEDDED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let mut sources: BTreeMap<String, String> = embedded.collect();
        let own = replaced.iter().filter(|(name, _)| !name.starts_with(language::FOLDER));
        sources.extend(own.map(|(name, text)| (name.clone(), text.clone())));
        for (name, text) in sources {
            if let Err(error) = environment.add_template_owned(name.clone(), text) {
                problems.push(problem(&name, &error));
            }
        }
        if problems.is_empty() { Ok(Self { environment, languages }) } else { Err(problems) }
    }

    #[must_use]
    pub fn languages(&self) -> &Languages {
        &self.languages
    }

    pub(super) fn render(&self, name: &str, context: &Value) -> Result<String, Problem> {
        let template = self.environment.get_template(name).map_err(|error| problem(name, &error))?;
        template.render(context.clone()).map_err(|error| problem(name, &error))
    }

    /// Renders a template that stands in the configuration.
    pub(super) fn render_line(&self, name: &str, source: &str, context: &Value) -> Result<String, Problem> {
        self.environment.render_named_str(name, source, context.clone()).map_err(|error| problem(name, &error))
    }

    /// Renders every template from samples, and says what is wrong with them and with the languages.
    #[must_use]
    pub fn check(&self) -> Vec<Problem> {
        let rendered = digest::check(self)
            .into_iter()
            .chain(page::check(self))
            .chain(notice::check(self))
            .chain(letter::check(self))
            .chain(approval::check(self))
            .chain(feed_page::check(self))
            .chain(report::check(self));
        rendered.chain(self.languages.problems().iter().cloned()).collect()
    }
}

/// `{{ text | wrap(68, indent="    ") }}`
#[expect(clippy::needless_pass_by_value, reason = "the engine hands its arguments over")]
fn wrapped(text: String, width: usize, options: Kwargs) -> Result<String, Error> {
    let indent: Option<String> = options.get("indent")?;
    options.assert_all_used()?;
    Ok(wrap(&text, width, indent.as_deref().unwrap_or_default()))
}

/// `{{ t("key", name=value) }}`, in the language that `lang` names. A translation is text and is escaped as a whole; what
/// is marked as safe among its arguments stays as it is.
fn translated(languages: &Languages, state: &State<'_, '_>, key: &str, named: &Kwargs) -> Result<Value, Error> {
    let language = state.lookup("lang").unwrap_or_default();
    let mut kept: Vec<(String, String)> = Vec::new();
    let mut args: Vec<(&str, Arg<'_>)> = Vec::new();
    for name in named.args() {
        let value: Value = named.get(name)?;
        let arg = match i64::try_from(value.clone()) {
            Ok(number) => Arg::Number(number),
            Err(_) if value.is_safe() => {
                // Letters no text is written with, so that the rest can be escaped around them.
                let place = format!("\u{F0000}{}\u{F0001}", kept.len());
                kept.push((place.clone(), value.to_string()));
                Arg::Text(place.into())
            }
            Err(_) => Arg::Text(value.to_string().replace(['\u{F0000}', '\u{F0001}'], "").into()),
        };
        args.push((name, arg));
    }
    let text = languages.get(&language.to_string()).say(key, &args).ok_or_else(|| {
        let message = format!("there is no string `{key}`, or it wants to be told more than this");
        Error::new(ErrorKind::InvalidOperation, message)
    })?;
    if kept.is_empty() {
        return Ok(Value::from(text));
    }
    let written = if *state.auto_escape() == AutoEscape::Html { escape(&text) } else { text };
    Ok(safe(kept.iter().fold(written, |text, (place, value)| text.replace(place, value))))
}

/// Text that is a marker or markup of our own, and not to be escaped.
pub(super) fn safe(text: impl Into<String>) -> Value {
    Value::from_safe_string(text.into())
}

fn problem(name: &str, error: &Error) -> Problem {
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    let at = error.name().unwrap_or(name);
    Problem::error(format!("templates/{at}"), "template", format!("{}{detail}", error.kind()))
        .at(error.line().unwrap_or_default(), usize::from(error.line().is_some()))
        .hint("compare it with the template of this version: the names it may use are listed at its top")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replacing(name: &str, text: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(name.to_owned(), text.to_owned())])
    }

    #[test]
    fn the_embedded_templates_have_no_problems() {
        assert_eq!(Templates::new(&BTreeMap::new()).unwrap().check(), []);
    }

    #[test]
    fn a_template_that_cannot_be_read_is_told_with_its_line() {
        let problems = Templates::new(&replacing("digest.txt", "a\n{% if %}")).unwrap_err();
        assert_eq!((problems[0].path.as_str(), problems[0].line), ("templates/digest.txt", 2));
    }

    #[test]
    fn a_name_no_template_is_given_is_a_problem_and_so_is_an_endless_loop() {
        for (text, expected) in [
            ("a\nb\n{{ titel }} {{ unsubscribe_url }}", "undefined value"),
            ("\n\n{% for a in range(99999) %}{% for b in range(99999) %}{{ b }}{% endfor %}{% endfor %}", "fuel"),
        ] {
            let problems = Templates::new(&replacing("digest.html", text)).unwrap().check();
            assert!(problems[0].message.contains(expected), "{problems:?}");
            assert_eq!((problems[0].path.as_str(), problems[0].line), ("templates/digest.html", 3));
        }
    }

    #[test]
    fn a_digest_without_a_way_out_is_a_problem() {
        let problems = Templates::new(&replacing("digest.html", "{{ title }}")).unwrap().check();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].message.contains("unsubscribe"), "{problems:?}");
    }

    #[test]
    fn html_is_escaped_and_addresses_stay_readable() {
        let templates = Templates::new(&replacing("x.html", "{{ a }} {{ b }}")).unwrap();
        let context = minijinja::context! { a => "https://x.example/?a=1&b=<", b => safe("<b>") };
        assert_eq!(templates.render("x.html", &context).unwrap(), "https://x.example/?a=1&amp;b=&lt; <b>");
    }

    #[test]
    fn a_translation_is_text_and_what_is_put_into_it_is_escaped_unless_it_is_ours() {
        let own = BTreeMap::from([
            ("x.html".to_owned(), "{{ t('digest-why', title=a) }} {{ t('digest-why', title=b) }}".to_owned()),
            ("x.txt".to_owned(), "{{ t('digest-why', title=a) }} {{ t('digest-why', title=b) }}".to_owned()),
            ("languages/xx.ftl".to_owned(), "digest-why = <i> & { $title }".to_owned()),
        ]);
        let templates = Templates::new(&own).unwrap();
        let context = minijinja::context! { lang => "xx", a => "\u{F0000}0\u{F0001}<b>", b => safe("\u{2}<a>\u{3}") };
        let html = templates.render("x.html", &context).unwrap();
        assert_eq!(html, "&lt;i&gt; &amp; 0&lt;b&gt; &lt;i&gt; &amp; \u{2}<a>\u{3}");
        assert_eq!(templates.render("x.txt", &context).unwrap(), "<i> & 0<b> <i> & \u{2}<a>\u{3}");
    }

    #[test]
    fn a_string_nobody_knows_is_a_problem_with_its_line_and_a_missing_one_a_warning() {
        let problems = Templates::new(&replacing("notice.txt", "{{ url }}\n{{ t('digest-wy') }}")).unwrap().check();
        assert_eq!((problems[0].path.as_str(), problems[0].line), ("templates/notice.txt", 2));
        assert!(problems[0].is_error() && problems[0].message.contains("`digest-wy`"), "{problems:?}");
        let problems = Templates::new(&replacing("languages/it.ftl", "language-name = Italiano")).unwrap().check();
        assert!(problems.len() == 1 && !problems[0].is_error() && problems[0].message.ends_with(" more"));
        let problems = Templates::new(&replacing("languages/it.ftl", "language-name = {")).unwrap_err();
        assert_eq!((problems[0].path.as_str(), problems[0].line), ("templates/languages/it.ftl", 1));
    }

    /// What is left of a template when tags, comments, expressions and their like are taken out.
    fn text_nodes(template: &str) -> String {
        let mut text = template.to_owned();
        for (open, close) in [("{#", "#}"), ("{{", "}}"), ("{%", "%}"), ("<style", "</style>"), ("<", ">")] {
            while let Some((before, rest)) = text.split_once(open) {
                let after = rest.split_once(close).map_or("", |(_, after)| after);
                text = format!("{before} {after}");
            }
        }
        text.replace("&nbsp;", " ")
    }

    #[test]
    fn no_template_says_anything_in_a_language_of_its_own() {
        for (name, template) in EMBEDDED {
            // The name of a format is the same everywhere.
            let said = text_nodes(template).replace("JSON", "");
            assert!(!said.chars().any(char::is_alphabetic), "{name}: {}", said.trim());
            for attribute in ["title=\"", "aria-label=\"", "alt=\"", "placeholder=\""] {
                for value in template.split(attribute).skip(1) {
                    assert!(value.starts_with("{{"), "{name}: {attribute}{value:.40}");
                }
            }
        }
        assert!(text_nodes("{# a #}<p class=\"b\">{{ c }}No posts</p>").contains("No posts"));
    }
}
