//! A digest's style as the templates of mails are told of it: colours for light and dark, type, the logo. Knows the domain's
//! palettes and what mail readers call a font; where each is used is the templates' business.

use minijinja::context;
use minijinja::value::Value;

use super::digest::clean;
use super::templates::safe;
use crate::domain::style::{Font, Look, Palette, Style};

const SANS: &str = "-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const SERIF: &str = "Georgia,'Times New Roman',serif";

pub(super) fn told(look: Look, style: &Style) -> Value {
    let text = if style.font == Font::Serif { SERIF } else { SANS };
    let headings = if look == Look::Plain { text } else { SERIF };
    context! {
        look => look.as_str(),
        light => colours(&Palette::light(look, style)),
        dark => colours(&Palette::dark(look, style)),
        // Of our own making: the quotes in it stay quotes.
        text_font => safe(text),
        heading_font => safe(headings),
        logo => clean(&style.logo),
        logo_alt => clean(&style.logo_alt),
    }
}

fn colours(palette: &Palette) -> Value {
    context! {
        page => palette.page.to_string(),
        card => palette.card.to_string(),
        ink => palette.ink.to_string(),
        soft => palette.soft.to_string(),
        accent => palette.accent.to_string(),
        on_accent => palette.on_accent.to_string(),
        rule => palette.rule.to_string(),
    }
}
