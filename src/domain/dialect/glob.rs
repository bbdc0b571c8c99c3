//! Patterns for names of files and folders, as generators' configurations have them.

/// Whether a pattern fits all of `text`: `*` is any letters, `?` one, `[a-z]` one of these, `\\` takes away what the next means.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut next) = (0, 0);
    // Where the last `*` stands, and how far it reaches: only that one has to be tried again.
    let mut star: Option<(usize, usize)> = None;
    while next < text.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at, next));
            at += 1;
        } else if let Some(length) = one(&pattern[at..], text[next]) {
            (at, next) = (at + length, next + 1);
        } else if let Some((place, reached)) = star {
            star = Some((place, reached + 1));
            (at, next) = (place + 1, reached + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// How many letters of the pattern's beginning stand for this one; none if they stand for another.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern.first()? {
        '?' => Some(1),
        '[' => set(pattern, c),
        '\\' if pattern.len() > 1 => (pattern[1] == c).then_some(2),
        own => (*own == c).then_some(1),
    }
}

fn set(pattern: &[char], c: char) -> Option<usize> {
    // An open bracket that is never closed stands for itself.
    let Some(end) = pattern.iter().skip(2).position(|c| *c == ']').map(|at| at + 2) else {
        return (c == '[').then_some(1);
    };
    let (negated, chosen) = match &pattern[1..end] {
        ['!' | '^', rest @ ..] if !rest.is_empty() => (true, rest),
        chosen => (false, chosen),
    };
    let range = |w: &[char]| w[1] == '-' && (w[0]..=w[2]).contains(&c);
    let within = chosen.contains(&c) || chosen.windows(3).any(range);
    (within != negated).then_some(end + 1)
}

/// Whether a pattern fits `path` or a folder that leads to it, folder by folder: `*` does not reach across a slash, `**` stands
/// for any folders.
#[must_use]
pub fn leads_to(pattern: &str, path: &str) -> bool {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    // So many of the names, from the first, may be what the pattern has said so far.
    let mut said = vec![false; names.len() + 1];
    said[0] = true;
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        if part == "**" {
            (1..said.len()).for_each(|count| said[count] |= said[count - 1]);
        } else {
            (1..said.len()).rev().for_each(|count| said[count] = said[count - 1] && matches(part, names[count - 1]));
            said[0] = false;
        }
    }
    said.contains(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_generators_have_them() {
        for (pattern, text, expected) in [
            ("a.md", "a.md", true),
            ("a.md", "a.mdx", false),
            ("*.md", "b/a.md", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b", false),
            ("?.md", "a.md", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[ab", "[ab", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        for (pattern, path, expected) in [
            ("sub/*", "sub/_posts/a.md", true),
            ("sub/*", "sub", false),
            ("*/_posts", "sub/_posts/a.md", true),
            ("*.md", "sub/a.md", false),
            ("**/a*", "x/y/abc", true),
            ("/posts/**", "posts/a", true),
        ] {
            assert_eq!(leads_to(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_ends_soon() {
        assert!(!matches(&"a*".repeat(2_000), &"a".repeat(1_500)));
        assert!(!matches(&format!("{}b", "*a".repeat(500)), &"a".repeat(5_000)));
    }
}
