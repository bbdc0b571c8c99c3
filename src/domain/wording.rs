//! How counts, names, days and periods read in a sentence. Knows English and nothing of what it is asked to say.

use jiff::civil::Date;

use super::period::{Per, Period};

const WORDS: [&str; 13] =
    ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `nine` up to twelve, `13` from there; zero is `no`, as in "no posts".
#[must_use]
pub fn number(count: u32) -> String {
    usize::try_from(count).ok().and_then(|n| WORDS.get(n)).map_or_else(|| count.to_string(), |word| (*word).to_owned())
}

/// `one post`, `nine posts`, `13 posts`, `no posts`.
#[must_use]
pub fn count(count: u32, noun: &str) -> String {
    format!("{} {}", number(count), plural(count, noun))
}

/// `1 post`, `9 posts`.
#[must_use]
pub fn digits(count: u32, noun: &str) -> String {
    format!("{count} {}", plural(count, noun))
}

#[must_use]
pub fn plural(count: u32, noun: &str) -> String {
    if count == 1 { noun.to_owned() } else { format!("{noun}s") }
}

/// `A`, `A and B`, `A, B and C`.
#[must_use]
pub fn list<S: AsRef<str>>(names: &[S]) -> String {
    match names {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// The sentence with its first letter in upper case.
#[must_use]
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[must_use]
pub fn month_name(day: Date) -> &'static str {
    usize::try_from(day.month() - 1).ok().and_then(|month| MONTHS.get(month)).copied().unwrap_or_default()
}

/// `7 May 2021`.
#[must_use]
pub fn day(day: Date) -> String {
    format!("{} {} {}", day.day(), month_name(day), day.year())
}

/// `May 2021`, `second quarter of 2021`, `week 7 of 2021`.
#[must_use]
pub fn period(period: Period) -> String {
    let first = period.first_day();
    match period.per() {
        Per::Month => format!("{} {}", month_name(first), first.year()),
        Per::Quarter => {
            let ordinal = match first.month() {
                1..=3 => "first",
                4..=6 => "second",
                7..=9 => "third",
                _ => "fourth",
            };
            format!("{ordinal} quarter of {}", first.year())
        }
        Per::Week => {
            let week = first.iso_week_date();
            format!("week {} of {}", week.week(), week.year())
        }
        Per::Year => first.year().to_string(),
    }
}

/// `February to September 2021`, `November 2020 to March 2021`, `May 2021`, `3 May to 9 July 2021`, `2021`.
#[must_use]
pub fn stretch(first: Date, last: Date) -> String {
    let whole_months = first.day() == 1 && last == last.last_of_month();
    if whole_months && first.first_of_year() == first && last == first.last_of_year() {
        return first.year().to_string();
    }
    let same_year = first.year() == last.year();
    if whole_months && same_year && first.month() == last.month() {
        return format!("{} {}", month_name(first), first.year());
    }
    match (whole_months, same_year) {
        (true, true) => format!("{} to {} {}", month_name(first), month_name(last), last.year()),
        (true, false) => {
            format!("{} {} to {} {}", month_name(first), first.year(), month_name(last), last.year())
        }
        (false, _) if first == last => day(first),
        (false, true) => format!("{} {} to {}", first.day(), month_name(first), day(last)),
        (false, false) => format!("{} to {}", day(first), day(last)),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn counts_are_words_up_to_twelve() {
        for (n, expected) in
            [(0, "no posts"), (1, "one post"), (2, "two posts"), (12, "twelve posts"), (13, "13 posts")]
        {
            assert_eq!(count(n, "post"), expected);
        }
    }

    #[test]
    fn names_are_joined_as_people_write_them() {
        assert_eq!(list::<&str>(&[]), "");
        assert_eq!(list(&["Ann"]), "Ann");
        assert_eq!(list(&["Ann", "Bo"]), "Ann and Bo");
        assert_eq!(list(&["Ann", "Bo", "Cy"]), "Ann, Bo and Cy");
        assert_eq!(capitalised("élan"), "Élan");
    }

    #[test]
    fn stretches_of_days_are_named_as_shortly_as_they_can_be() {
        for (first, last, expected) in [
            (date(2021, 2, 1), date(2021, 9, 30), "February to September 2021"),
            (date(2020, 11, 1), date(2021, 3, 31), "November 2020 to March 2021"),
            (date(2020, 2, 1), date(2020, 2, 29), "February 2020"),
            (date(2021, 1, 1), date(2021, 12, 31), "2021"),
            (date(2021, 5, 3), date(2021, 7, 9), "3 May to 9 July 2021"),
            (date(2020, 5, 3), date(2021, 7, 9), "3 May 2020 to 9 July 2021"),
            (date(2021, 5, 3), date(2021, 5, 3), "3 May 2021"),
        ] {
            assert_eq!(stretch(first, last), expected);
        }
    }

    #[test]
    fn periods_have_names_people_use() {
        for (text, expected) in
            [("2021-05", "May 2021"), ("2021-Q2", "second quarter of 2021"), ("2020-W53", "week 53 of 2020")]
        {
            assert_eq!(period(Period::parse(text).unwrap()), expected);
        }
    }
}
