//! How a digest is dressed: one of three looks, and the colours, the type and the words of one's own that go with it. Knows
//! what the configuration says and which colours follow from it, in light and in dark; the shapes are the templates'.

use serde::{Deserialize, Serialize};

use super::colour::{Colour, READABLE};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Look {
    /// A card on a tinted page, its headings in a serif.
    #[default]
    Classic,
    /// Like a letter somebody typed: no card, one type, on the left.
    Plain,
    /// A band in the accent's colour, and a large first post.
    Magazine,
}

impl Look {
    pub const ALL: [Self; 3] = [Self::Classic, Self::Plain, Self::Magazine];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Plain => "plain",
            Self::Magazine => "magazine",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Font {
    /// What the reader's system reads best; headings as the look has them.
    #[default]
    System,
    /// All of it in a serif.
    Serif,
}

/// `[digest.style]`; what is empty is the look's own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Style {
    /// Of links, bars and the magazine's band.
    pub accent: String,
    /// What the text stands on.
    pub background: String,
    pub text: String,
    pub font: Font,
    /// The address of a picture, shown 40 pixels high.
    pub logo: String,
    pub logo_alt: String,
    /// Markdown: above the posts, and below everything.
    pub header: String,
    pub footer: String,
}

/// The colours of one mail, as it is seen in light or in dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Around the card, and the card itself.
    pub page: Colour,
    pub card: Colour,
    pub ink: Colour,
    /// Of dates and small print.
    pub soft: Colour,
    /// Of links; bars and bands are filled with it, and `on_accent` is what is written there.
    pub accent: Colour,
    pub on_accent: Colour,
    pub rule: Colour,
}

const INK: Colour = Colour::new(0x1d, 0x1d, 0x1f);
const SOFT: Colour = Colour::new(0x57, 0x53, 0x4e);
const ACCENT: Colour = Colour::new(0x0b, 0x53, 0x94);
const PAGE: Colour = Colour::new(0xf5, 0xf3, 0xee);
const RULE: Colour = Colour::new(0xe3, 0xdf, 0xd7);

/// In the dark a page that was white would be this much black, and ink this much white.
const NIGHT: u8 = 88;
const NIGHT_PAGE: u8 = 92;
const NIGHT_INK: u8 = 92;
/// Light type on a dark ground needs a little more.
const NIGHT_READABLE: f64 = 5.5;

impl Palette {
    /// As the style wants it; what cannot be read as a colour is the look's own (`problems` tells of it).
    #[must_use]
    pub fn light(look: Look, style: &Style) -> Self {
        let chosen = |text: &str, own: Colour| Colour::parse(text).unwrap_or(own);
        let card = chosen(&style.background, Colour::WHITE);
        let ink = chosen(&style.text, INK);
        let is_own = style.background.is_empty() && style.text.is_empty();
        let page = match look {
            Look::Plain => card,
            Look::Classic | Look::Magazine if is_own => PAGE,
            Look::Classic | Look::Magazine => tinted(card, ink),
        };
        let rule = if is_own { RULE } else { card.mixed(ink, 16) };
        let soft = if is_own { SOFT } else { ink.mixed(card, 28) };
        Self::of(page, card, ink, soft, chosen(&style.accent, ACCENT), rule, READABLE)
    }

    /// The same at night: what is dark already stays as it is.
    #[must_use]
    pub fn dark(look: Look, style: &Style) -> Self {
        let day = Self::light(look, style);
        if day.card.is_dark() {
            return day;
        }
        let card = day.card.mixed(Colour::BLACK, NIGHT);
        let page = if look == Look::Plain { card } else { day.card.mixed(Colour::BLACK, NIGHT_PAGE) };
        let ink = day.ink.mixed(Colour::WHITE, NIGHT_INK);
        let rule = card.mixed(ink, 16);
        Self::of(page, card, ink, ink.mixed(card, 28), day.accent, rule, NIGHT_READABLE)
    }

    fn of(page: Colour, card: Colour, ink: Colour, soft: Colour, accent: Colour, rule: Colour, ratio: f64) -> Self {
        // A line of small print stands beside the card, too.
        let grounds = [page, card];
        let soft = soft.standing_out(&grounds, ratio, card.opposite());
        let accent = accent.standing_out(&grounds, ratio, card.opposite());
        Self { page, card, ink, soft, accent, on_accent: accent.opposite(), rule }
    }
}

/// A page a little darker or lighter than its card, unless nothing could be read on it any more: some middle tones are that
/// narrow.
fn tinted(card: Colour, ink: Colour) -> Colour {
    let page = card.mixed(ink, 5);
    if card.opposite().contrast(page) >= READABLE { page } else { card }
}

/// What is wrong with a style: the key, what was found, and what to do.
#[must_use]
pub fn problems(style: &Style) -> Vec<(&'static str, String, &'static str)> {
    let mut found = Vec::new();
    let colours = [("accent", &style.accent), ("background", &style.background), ("text", &style.text)];
    for (key, text) in colours {
        if !text.is_empty() && Colour::parse(text).is_none() {
            let message = format!("`digest.style.{key}` is `{text}`, which is no colour");
            found.push((key, message, "expected `#0b5394`, or nothing for the look's own"));
        }
    }
    if found.is_empty() {
        found.extend(unreadable(style));
    }
    if !style.logo.is_empty() {
        found.extend(logo_problem(style));
    }
    found
}

fn unreadable(style: &Style) -> Vec<(&'static str, String, &'static str)> {
    let chosen = |text: &str, own| Colour::parse(text).unwrap_or(own);
    let card = chosen(&style.background, Colour::WHITE);
    let pairs = [("text", chosen(&style.text, INK)), ("accent", chosen(&style.accent, ACCENT))];
    let mut found = Vec::new();
    for (key, colour) in pairs {
        let ratio = colour.contrast(card);
        if ratio < READABLE {
            let message = format!(
                "`digest.style.{key}` ({colour}) on `background` ({card}) has a contrast of {ratio:.2}, and is hard to read"
            );
            found.push((key, message, "expected 4.5 or more: make the one darker or the other lighter"));
        }
    }
    found
}

fn logo_problem(style: &Style) -> Option<(&'static str, String, &'static str)> {
    let url = url::Url::parse(&style.logo).ok().filter(|url| url.scheme() == "https" && url.host_str().is_some());
    if url.is_none() {
        let message = format!("`digest.style.logo` is `{}`, which is no address beginning with `https://`", style.logo);
        return Some(("logo", message, "expected the address of a picture that every mail reader can fetch"));
    }
    let message = "`digest.style.logo` has no `logo_alt`, and many readers see no pictures".to_owned();
    style.logo_alt.trim().is_empty().then_some(("logo", message, "say in `logo_alt` what it shows: the blog's name"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_readable(palette: &Palette) {
        for (one, two) in [
            (palette.ink, palette.card),
            (palette.soft, palette.card),
            (palette.soft, palette.page),
            (palette.accent, palette.card),
            (palette.accent, palette.page),
            (palette.on_accent, palette.accent),
        ] {
            assert!(one.contrast(two) >= READABLE, "{one} on {two}: {:.2} in {palette:?}", one.contrast(two));
        }
    }

    #[test]
    fn every_look_of_ours_can_be_read_by_day_and_by_night() {
        for look in Look::ALL {
            let style = Style::default();
            is_readable(&Palette::light(look, &style));
            is_readable(&Palette::dark(look, &style));
            assert!(Palette::dark(look, &style).card.is_dark());
        }
    }

    proptest! {
        #[test]
        fn a_style_without_problems_can_be_read_by_day_and_by_night(colours: [(u8, u8, u8); 3]) {
            let [accent, background, text] = colours.map(|(r, g, b)| Colour::new(r, g, b));
            // Of all there are, few can be read on each other; these can, just so.
            let [accent, text] = [accent, text].map(|c| c.standing_out(&[background], READABLE, background.opposite()));
            let [accent, background, text] = [accent, background, text].map(|colour| colour.to_string());
            let style = Style { accent, background, text, ..Style::default() };
            prop_assert_eq!(problems(&style), []);
            for look in Look::ALL {
                is_readable(&Palette::light(look, &style));
                is_readable(&Palette::dark(look, &style));
            }
        }
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_key() {
        let style = |accent: &str, background: &str, text: &str, logo: &str, alt: &str| Style {
            accent: accent.into(),
            background: background.into(),
            text: text.into(),
            logo: logo.into(),
            logo_alt: alt.into(),
            ..Style::default()
        };
        for (style, key, words) in [
            (style("blue", "", "", "", ""), "accent", "is `blue`, which is no colour"),
            (style("#ffcc00", "", "", "", ""), "accent", "(#ffcc00) on `background` (#ffffff) has a contrast of 1.5"),
            (style("", "#333333", "#ffffff", "", ""), "accent", "on `background` (#333333) has a contrast of"),
            (style("", "", "#999", "", ""), "text", "has a contrast of 2.85"),
            (style("", "", "", "http://a.example/a.png", "A"), "logo", "no address beginning with `https://`"),
            (style("", "", "", "https://a.example/a.png", " "), "logo", "has no `logo_alt`"),
        ] {
            let found = problems(&style);
            assert!(found.len() == 1 && found[0].0 == key && found[0].1.contains(words), "{found:?}");
        }
        assert_eq!(problems(&style("#07c", "#fff", "#222", "https://a.example/a.png", "A")), []);
    }
}
