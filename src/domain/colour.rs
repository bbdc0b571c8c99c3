//! Colours as they are written in style sheets, and how well one stands out against another (WCAG 2.2). Knows three numbers;
//! what a colour is for is `style`'s business.

use std::fmt;

/// What text needs against what it stands on.
pub const READABLE: f64 = 4.5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

impl Colour {
    pub const BLACK: Self = Self::new(0, 0, 0);
    pub const WHITE: Self = Self::new(255, 255, 255);

    #[must_use]
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// `#0b5394` or `#07c`: what every mail reader knows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().strip_prefix('#').filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let part = |from: usize, length: usize| u8::from_str_radix(digits.get(from..from + length)?, 16).ok();
        match digits.len() {
            6 => Some(Self::new(part(0, 2)?, part(2, 2)?, part(4, 2)?)),
            3 => Some(Self::new(part(0, 1)? * 17, part(1, 1)? * 17, part(2, 1)? * 17)),
            _ => None,
        }
    }

    /// From 0, black, to 1, white, as the eye sees it.
    #[must_use]
    pub fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }

    /// From 1, the same, to 21, black on white.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance() + 0.05, other.luminance() + 0.05);
        one.max(two) / one.min(two)
    }

    /// `percent` of `other` in it.
    #[must_use]
    pub fn mixed(self, other: Self, percent: u8) -> Self {
        let percent = u32::from(percent.min(100));
        let part = |own: u8, other: u8| {
            let sum = u32::from(own) * (100 - percent) + u32::from(other) * percent;
            u8::try_from((sum + 50) / 100).unwrap_or(u8::MAX)
        };
        Self::new(part(self.red, other.red), part(self.green, other.green), part(self.blue, other.blue))
    }

    /// As much nearer to `end` as it takes to stand out against each of `grounds` by `ratio`.
    #[must_use]
    pub fn standing_out(self, grounds: &[Self], ratio: f64, end: Self) -> Self {
        let stands_out = |colour: &Self| grounds.iter().all(|ground| colour.contrast(*ground) >= ratio);
        (0..=100).step_by(2).map(|percent| self.mixed(end, percent)).find(stands_out).unwrap_or(end)
    }

    /// Black or white, whichever can be read on it better: one of them always can.
    #[must_use]
    pub fn opposite(self) -> Self {
        if self.contrast(Self::WHITE) >= self.contrast(Self::BLACK) { Self::WHITE } else { Self::BLACK }
    }

    #[must_use]
    pub fn is_dark(self) -> bool {
        self.opposite() == Self::WHITE
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_read_back_as_it_was_written_and_nothing_else_is_one() {
        for (text, written) in [("#0b5394", "#0b5394"), (" #ABC ", "#aabbcc"), ("#FFFFFF", "#ffffff")] {
            assert_eq!(Colour::parse(text).map(|colour| colour.to_string()).as_deref(), Some(written));
        }
        for text in ["", "#", "red", "0b5394", "#12", "#1234", "#12345g", "#+12345", "rgb(1,2,3)", "#ééé"] {
            assert_eq!(Colour::parse(text), None, "{text}");
        }
    }

    #[test]
    fn contrasts_are_those_of_the_guidelines() {
        // WCAG's own examples, and the grey that just passes on white.
        for (one, two, expected) in
            [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#767676", "#ffffff", 4.54)]
        {
            let found = Colour::parse(one).unwrap().contrast(Colour::parse(two).unwrap());
            assert!((found - expected).abs() < 0.005, "{one} {two} {found}");
        }
    }

    #[test]
    fn black_or_white_can_be_read_on_every_colour() {
        for step in 0..=u8::MAX {
            for colour in [Colour::new(step, step, step), Colour::new(step, 0, 255 - step), Colour::new(0, step, 90)] {
                assert!(colour.opposite().contrast(colour) >= READABLE, "{colour}");
            }
        }
    }
}
