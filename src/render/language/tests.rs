use jiff::civil::date;
use jiff::tz::TimeZone;

use super::*;
use crate::domain::goal::{Bounds, GoalStatus, Spec, status};
use crate::domain::period::{Days, Per, Period};
use crate::domain::wording;
use crate::render::goal::facts;
use crate::render::goal::tests::{goal, post};

fn languages() -> Languages {
    Languages::new(&BTreeMap::new()).unwrap()
}

fn with(name: &str, text: &str) -> Result<Languages, Vec<Problem>> {
    Languages::new(&BTreeMap::from([(name.to_owned(), text.to_owned())]))
}

#[test]
fn every_language_has_exactly_the_strings_and_variables_of_english() {
    let read = |text: &str| messages::messages(&FluentResource::try_new(text.to_owned()).map_err(|(_, e)| e).unwrap());
    let (_, english) = EMBEDDED.into_iter().find(|(tag, _)| *tag == ENGLISH).unwrap();
    let english = read(english);
    assert!(english.len() > 200, "{}", english.len());
    for (tag, text) in EMBEDDED {
        let own = read(text);
        let names = |of: &BTreeMap<_, _>| of.keys().cloned().collect::<Vec<String>>();
        assert_eq!(names(&own), names(&english), "{tag}");
        for (key, variables) in &english {
            assert_eq!(&own[key], variables, "{tag}: {key}");
        }
    }
}

#[test]
fn a_missing_string_would_be_found() {
    let (_, german) = EMBEDDED.into_iter().find(|(tag, _)| *tag == "de").unwrap();
    let without = german.replace("said-saved = Gespeichert", "said-safed = Gespeichert");
    let told = german.replace("{ $by } voraus", "{ $bye } voraus");
    let languages = with("languages/de.ftl", &without).unwrap();
    let problems: Vec<String> = languages.problems().iter().map(|p| format!("{p} ({})", p.line)).collect();
    assert!(problems[0].contains("2 of ") && problems[0].contains("`said-saved`, `said-saved.text`"), "{problems:?}");
    assert!(problems[1].contains("no string is called `said-safed`"), "{problems:?}");
    assert_eq!(languages.get("de").text("said-saved", &[]), "Saved");
    let languages = with("languages/de.ftl", &told).unwrap();
    assert!(languages.problems()[0].message.contains("`goal-standing` is not told `$bye`"));
    assert!(languages.problems()[0].line > 100);
    assert!(languages.get("de").goal_sentence(&goal()).contains("6 posts in 5 months – 1 ahead."));
}

#[test]
fn no_string_holds_markup_or_shouts_and_french_marks_keep_their_space() {
    for (tag, text) in EMBEDDED {
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            for forbidden in ["<", "&", "!", "\t", " \u{2019}", "..."] {
                assert!(!line.contains(forbidden), "{tag}: {line}");
            }
            assert!(!line.replace("->", "").contains('>'), "{tag}: {line}");
            for mark in [" :", " ?", " ;"] {
                assert!(tag != "fr" || !line.contains(mark), "{tag}: {line}");
            }
        }
    }
}

#[test]
fn the_language_asked_for_is_found_or_english_stands_in() {
    let languages = with("languages/pt-BR.ftl", "language-name = Português\nday = { $day }/{ $month }").unwrap();
    for (asked, found) in [
        ("de", "de"),
        ("de-AT", "de"),
        ("DE_ch", "de"),
        ("pt-BR", "pt-BR"),
        ("pt-br", "pt-BR"),
        ("pt", "en"),
        ("", "en"),
    ] {
        assert_eq!(languages.get(asked).tag(), found, "{asked}");
    }
    assert!(languages.is_offered("fr-CA") && !languages.is_offered("it") && !languages.is_offered(""));
    assert_eq!(languages.spoken("fr-CA"), ("fr-CA".into(), "ltr"));
    assert_eq!(languages.spoken("ar\" onload=\"x"), ("en".into(), "ltr"));
    let names: Vec<_> = languages.offered().into_iter().map(|(tag, name)| format!("{tag} {name}")).collect();
    assert_eq!(names, ["de Deutsch", "en English", "es Español", "fr Français", "pt-BR Português"]);
    let brazilian = languages.get("pt-BR");
    assert_eq!(brazilian.day(date(2021, 5, 7)), "7/5");
    assert_eq!(brazilian.posts(3), "three posts");
}

#[test]
fn a_file_that_cannot_be_read_is_told_with_its_line() {
    for (name, text, line, expected) in [
        ("languages/it.ftl", "a = b\n\nday = { $day\n", 4, "Expected"),
        ("languages/no tag.ftl", "a = b\n", 0, "not the tag of a language"),
    ] {
        let problems = with(name, text).unwrap_err();
        assert_eq!((problems[0].path.as_str(), problems[0].line), (&*format!("templates/{name}"), line));
        assert!(problems[0].is_error() && problems[0].message.contains(expected), "{problems:?}");
    }
    assert!(with("mine.html", "{ not a language").is_ok());
}

#[test]
fn dates_counts_and_lists_read_as_people_write_them() {
    let languages = languages();
    let day = date(2021, 5, 7);
    let period = |text: &str| Period::parse(text).unwrap();
    for (tag, expected) in [
        (
            "en",
            "7 May 2021 · 1 August 2021 · May 2021 · Second quarter of 2021 · Week 7 of 2021 · no posts · one post · \
                twelve posts · 13 posts · 1.5 · Ann, Bo and Cy · Q2 W7 Mar",
        ),
        (
            "de",
            "7. Mai 2021 · 1. August 2021 · Mai 2021 · Zweites Quartal 2021 · 7. Kalenderwoche 2021 · keine Beiträge · \
                ein Beitrag · zwölf Beiträge · 13 Beiträge · 1,5 · Ann, Bo und Cy · Q2 KW7 März",
        ),
        (
            "fr",
            "7 mai 2021 · 1er août 2021 · Mai 2021 · Deuxième trimestre 2021 · Semaine 7 de 2021 · aucun article · \
                un article · douze articles · 13 articles · 1,5 · Ann, Bo et Cy · T2 S7 mars",
        ),
        (
            "es",
            "7 de mayo de 2021 · 1 de agosto de 2021 · Mayo de 2021 · Segundo trimestre de 2021 · Semana 7 de 2021 · \
                ninguna entrada · una entrada · doce entradas · 13 entradas · 1,5 · Ann, Bo y Cy · T2 S7 mar",
        ),
    ] {
        let language = languages.get(tag);
        let shorts = ["2021-Q2", "2021-W07", "2021-03"].map(|p| language.period_short(period(p)));
        let said = [
            language.day(day),
            language.day(date(2021, 8, 1)),
            language.period_heading(period("2021-05")),
            language.period_heading(period("2021-Q2")),
            language.period_heading(period("2021-W07")),
            language.posts(0),
            language.posts(1),
            language.posts(12),
            language.posts(13),
            language.decimal(1.5),
            language.list(&["Ann", "Bo", "Cy"]),
            shorts.join(" "),
        ];
        assert_eq!(said.join(" · "), expected);
    }
}

#[test]
fn english_is_that_of_the_command_line() {
    let english = languages();
    let english = english.get("en");
    for month in 1..=12 {
        for text in [format!("2021-{month:02}"), format!("2021-Q{}", (month + 2) / 3), format!("2020-W{}", month + 41)]
        {
            let period = Period::parse(&text).unwrap();
            assert_eq!(english.period(period), wording::period(period));
            assert_eq!(english.day(period.last_day()), wording::day(period.last_day()));
        }
    }
    for count in 0..15 {
        assert_eq!(english.posts(count), wording::count(count, "post"));
        assert_eq!(english.posts_in_digits(count), wording::digits(count, "post"));
        for per in [Per::Week, Per::Month, Per::Quarter, Per::Year] {
            assert_eq!(english.periods(count, per), wording::digits(count, per.as_str()));
        }
    }
    for names in [&[][..], &["Ann"], &["Ann", "Bo"], &["Ann", "Bo", "Cy"]] {
        assert_eq!(english.list(names), wording::list(names));
    }
}

fn goals() -> Vec<GoalStatus> {
    let pause = vec![Days::parse("2021-05").unwrap()];
    let specs = [
        Spec::default(),
        Spec { name: "rust posts".into(), posts: 2, ..Spec::default() },
        Spec { per: Per::Week, posts: 13, ..Spec::default() },
        Spec { per: Per::Quarter, ..Spec::default() },
        Spec { pauses: pause, ..Spec::default() },
    ];
    let days = ["2021-03-01", "2021-03-05", "2021-04-01", "2021-05-10", "2021-05-11"];
    let mut goals = vec![goal()];
    for spec in specs {
        for many in 0..=days.len() {
            for now in ["2021-05-11T09:00:00Z", "2021-05-31T09:00:00Z", "2021-08-02T09:00:00Z"] {
                let posts: Vec<_> = days.iter().take(many).map(|day| post(day, "A post")).collect();
                goals.push(status(&spec, &posts, &TimeZone::UTC, now.parse().unwrap(), Bounds::default()));
            }
        }
    }
    goals
}

#[test]
fn the_goals_sentence_is_the_same_as_the_command_lines_and_whole_in_every_language() {
    let languages = languages();
    for goal in goals() {
        assert_eq!(languages.get("en").goal_sentence(&goal), goal.sentence);
        let named: Vec<(String, String)> = facts(&goal).into_iter().map(|(name, value)| (name.into(), value)).collect();
        assert_eq!(languages.get("en").goal_facts(&goal), named);
        for tag in ["de", "es", "fr"] {
            let sentence = languages.get(tag).goal_sentence(&goal);
            assert!(
                sentence.ends_with('.') && !sentence.contains("  ") && !sentence.contains('$'),
                "{tag}: {sentence}"
            );
            assert!(
                languages
                    .get(tag)
                    .goal_facts(&goal)
                    .iter()
                    .all(|(name, value)| !name.is_empty() && !value.contains('$'))
            );
        }
    }
}

#[test]
fn the_goals_sentence_reads_well() {
    let languages = languages();
    let goals = goals();
    let chosen = [1, 7, 12, 18, 28, 37, 49, 64, 82];
    let lines: Vec<String> = ["en", "de", "fr", "es"]
        .iter()
        .flat_map(|tag| {
            let language = languages.get(tag);
            chosen.map(|at| language.goal_sentence(&goals[at]))
        })
        .collect();
    insta::assert_snapshot!("goal_sentences", lines.join("\n"));
}
