//! What a report tells beside posts: talks, pull requests, releases, whatever was promised. Knows two forms of one small
//! file, TOML and CSV; what cannot be used is a problem with its line.

use jiff::civil::Date;
use serde::Serialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::front_matter::position;
use super::period::Days;
use super::plain;
use super::problem::Problem;

/// `[[talks]]`, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Section {
    pub title: String,
    pub items: Vec<Fact>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// A day, a month or a year, as it was written: `2021-05-20`.
    pub date: String,
    pub title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// The columns of the CSV form, and but for the first the keys of the TOML form.
const COLUMNS: [&str; 6] = ["section", "date", "title", "url", "people", "text"];
const HINT: &str = "expected `date` and `title`, and if you like `url`, `people` and `text`";

/// By the file's name, `.csv` or `.toml`.
#[must_use]
pub fn read(path: &str, text: &str) -> (Vec<Section>, Vec<Problem>) {
    let mut reader = Reader { path, text, sections: Vec::new(), problems: Vec::new() };
    if path.to_ascii_lowercase().ends_with(".csv") {
        reader.csv();
    } else {
        reader.toml();
    }
    (reader.sections, reader.problems)
}

/// Those of a stretch of time, and of one person if asked; what names nobody is everybody's.
#[must_use]
pub fn within(sections: &[Section], from: Date, to: Date, author: Option<&str>) -> Vec<Section> {
    let is_meant = |fact: &&Fact| {
        let days = Days::parse(&fact.date);
        let is_in = days.is_some_and(|days| days.first <= to && days.last >= from);
        let of_author = |author: &str| {
            fact.people.is_empty() || fact.people.iter().any(|one| one.to_lowercase() == author.trim().to_lowercase())
        };
        is_in && author.is_none_or(of_author)
    };
    let kept = sections.iter().map(|section| {
        let mut items: Vec<Fact> = section.items.iter().filter(is_meant).cloned().collect();
        items.sort_by(|a, b| a.date.cmp(&b.date));
        Section { title: section.title.clone(), items }
    });
    kept.filter(|section| !section.items.is_empty()).collect()
}

struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    sections: Vec<Section>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn toml(&mut self) {
        let text = self.text;
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                let offset = error.span().map_or(0, |span| span.start);
                return self.problem(
                    offset,
                    error.message().to_owned(),
                    "expected TOML: `[[talks]]`, then `date = ...`",
                );
            }
        };
        let mut sections: Vec<_> = table.get_ref().iter().collect();
        sections.sort_by_key(|(name, _)| name.span().start);
        for (name, value) in sections {
            let DeValue::Array(items) = value.get_ref() else {
                let message = format!("`{}` is no list of items", name.get_ref());
                self.problem(name.span().start, message, "write `[[talks]]` before each item");
                continue;
            };
            for item in items {
                self.toml_item(name.get_ref(), item);
            }
        }
    }

    fn toml_item(&mut self, section: &str, item: &Spanned<DeValue<'_>>) {
        let start = item.span().start;
        let DeValue::Table(table) = item.get_ref() else {
            return self.problem(start, format!("an item of `{section}` is no table"), HINT);
        };
        let mut fact = Fact::default();
        for (key, value) in table {
            let at = key.span().start;
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("people", DeValue::Array(people)) => {
                    let names = people.iter().filter_map(|one| one.get_ref().as_str().map(plain::line));
                    fact.people = names.collect();
                }
                (key, DeValue::String(text)) if COLUMNS[1..].contains(&key) => set(&mut fact, key, text),
                ("date", DeValue::Datetime(date)) => fact.date = date.to_string(),
                (key, _) if COLUMNS[1..].contains(&key) => {
                    self.problem(at, format!("`{key}` has a value of another kind"), "expected text in quotes");
                }
                (key, _) => self.problem(at, format!("there is no key `{key}` in an item"), HINT),
            }
        }
        self.keep(section, fact, start);
    }

    fn csv(&mut self) {
        let text = self.text.strip_prefix('\u{feff}').unwrap_or(self.text);
        let mut rows = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
        let header: Vec<String> =
            rows.headers().map(|header| header.iter().map(str::to_lowercase).collect()).unwrap_or_default();
        if let Some(odd) = header.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
            let message = format!("there is no column `{odd}`");
            return self.problem(0, message, "the first line names the columns: section,date,title,url,people,text");
        }
        for row in rows.records() {
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    let at = error.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or_default());
                    self.problem(at, format!("this row cannot be read: {error}"), "expected one item a row");
                    continue;
                }
            };
            let (mut section, mut fact) = (String::new(), Fact::default());
            for (name, value) in header.iter().zip(&row) {
                if name == "section" { value.clone_into(&mut section) } else { set(&mut fact, name, value) }
            }
            let at = row.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or_default());
            self.keep(&section, fact, at);
        }
    }

    fn keep(&mut self, section: &str, fact: Fact, offset: usize) {
        if Days::parse(&fact.date).is_none() {
            let message = format!("an item of `{section}` has the date `{}`", fact.date);
            return self.problem(offset, message, "expected a day, a month or a year: `2021-05-20`, `2021-05`, `2021`");
        }
        if fact.title.is_empty() {
            return self.problem(offset, format!("an item of `{section}` has no title"), HINT);
        }
        let is_web = fact.url.starts_with("https://") || fact.url.starts_with("http://");
        if !fact.url.is_empty() && !is_web {
            let message = format!("`{}` is no web address", fact.url);
            return self.problem(offset, message, "expected one that begins with `https://`");
        }
        let title = super::wording::capitalised(&plain::line(&section.replace(['_', '-'], " ")));
        let title = if title.is_empty() { "Besides".to_owned() } else { title };
        match self.sections.iter_mut().find(|known| known.title == title) {
            Some(known) => known.items.push(fact),
            None => self.sections.push(Section { title, items: vec![fact] }),
        }
    }

    fn problem(&mut self, offset: usize, message: String, hint: &str) {
        let (line, column) = position(self.text, offset.min(self.text.len()));
        self.problems.push(Problem::error(self.path, "facts", message).at(line, column).hint(hint));
    }
}

fn set(fact: &mut Fact, key: &str, value: &str) {
    let value = plain::line(value);
    match key {
        "date" => fact.date = value,
        "title" => fact.title = value,
        "url" => fact.url = value,
        "text" => fact.text = value,
        // In CSV a list has semicolons.
        "people" => {
            let names = value.split(';').map(str::trim).filter(|name| !name.is_empty());
            fact.people = names.map(ToOwned::to_owned).collect();
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TOML: &str = "[[talks]]\ndate = 2021-05-20\ntitle = \"Scaling images\"\nurl = \"https://a.example/talk\"\n\
                        people = [\"Ann\", \"Bo\"]\n\n[[pull_requests]]\ndate = \"2021-04\"\ntitle = \"Faster\"\ntext = \"merged\"\n\n\
                        [[talks]]\ndate = \"2021-02-01\"\ntitle = \"First\"\n";
    const CSV: &str = "section,date,title,url,people,text\ntalks,2021-05-20,Scaling images,https://a.example/talk,Ann; Bo,\n\
                       pull requests,2021-04,Faster,,,merged\ntalks,2021-02-01,First\n";

    #[test]
    fn both_forms_say_the_same() {
        let (sections, problems) = read("facts.toml", TOML);
        assert_eq!(problems, []);
        assert_eq!(read("facts.CSV", CSV), (sections.clone(), Vec::new()));
        let titles: Vec<&str> = sections.iter().map(|section| section.title.as_str()).collect();
        assert_eq!(titles, ["Talks", "Pull requests"]);
        assert_eq!(sections[0].items[0].people, ["Ann", "Bo"]);
    }

    #[test]
    fn only_what_lies_in_the_stretch_and_is_the_authors_is_kept_in_order() {
        let (sections, _) = read("facts.toml", TOML);
        let titles = |from, to, author| -> Vec<String> {
            let kept = within(&sections, from, to, author);
            kept.into_iter().flat_map(|section| section.items).map(|fact| fact.title).collect()
        };
        assert_eq!(titles(date(2021, 1, 1), date(2021, 12, 31), None), ["First", "Scaling images", "Faster"]);
        assert_eq!(titles(date(2021, 4, 10), date(2021, 5, 1), None), ["Faster"]);
        assert_eq!(titles(date(2021, 5, 1), date(2021, 5, 31), Some("ann")), ["Scaling images"]);
        assert!(titles(date(2021, 5, 1), date(2021, 5, 31), Some("Cy")).is_empty());
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_line() {
        for (path, text, line, words) in [
            ("f.toml", "[[talks]]\ndate = \n", 2, ""),
            (
                "f.toml",
                "[[a]]\ndate = 2021-05-20\ntitle = \"A\"\n[[a]]\ndate = \"soon\"\ntitle = \"B\"\n",
                4,
                "the date `soon`",
            ),
            ("f.toml", "talks = 5\n", 1, "no list of items"),
            ("f.toml", "[[a]]\ndate = 2021-05-20\nname = \"A\"\ntitle = \"A\"\n", 3, "no key `name`"),
            ("f.csv", "section,date,what\n", 1, "no column `what`"),
            ("f.csv", "section,date,title\na,2021-05-20,A\na,2021-05-21,\n", 3, "has no title"),
            ("f.csv", "date,title,url\n2021,A,javascript:x\n", 2, "is no web address"),
        ] {
            let (_, problems) = read(path, text);
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert!(problems[0].line == line && problems[0].message.contains(words), "{problems:?}");
        }
    }
}
