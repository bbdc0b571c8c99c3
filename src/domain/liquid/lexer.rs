//! Cuts a template into text, outputs and tags. Knows delimiters, whitespace control, `raw` and `comment`; not what the
//! tags mean. A delimiter that is never closed is text.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Text(&'a str),
    /// `{{ source }}`
    Output(&'a str),
    /// `{% name arguments %}`
    Tag(&'a str, &'a str),
    /// A `raw` or `comment` nobody closed.
    Unclosed(&'a str),
}

/// Each token with where it begins.
pub(super) fn tokens(text: &str) -> Vec<(usize, Token<'_>)> {
    let mut lexer = Lexer { pieces: Pieces::of(text), at: 0, trim: false, tokens: Vec::new(), endless: Vec::new() };
    while lexer.step() {}
    lexer.tokens
}

struct Lexer<'a> {
    pieces: Pieces<'a>,
    at: usize,
    /// Whether the last delimiter asked for the space after it to go.
    trim: bool,
    tokens: Vec<(usize, Token<'a>)>,
    /// Blocks that were found to have no end; looking again for each would take for ever.
    endless: Vec<&'static str>,
}

/// One delimited piece: what is inside, where it starts and ends, and which sides it trims.
#[derive(Debug, Clone, Copy)]
struct Piece<'a> {
    is_tag: bool,
    inside: &'a str,
    start: usize,
    end: usize,
    trim_before: bool,
    trim_after: bool,
}

impl<'a> Lexer<'a> {
    fn step(&mut self) -> bool {
        let Some(piece) = self.pieces.next_from(self.at) else {
            self.push_text(self.pieces.text.len(), false);
            return false;
        };
        self.push_text(piece.start, piece.trim_before);
        (self.at, self.trim) = (piece.end, piece.trim_after);
        if !piece.is_tag {
            self.tokens.push((piece.start, Token::Output(piece.inside)));
            return true;
        }
        let (name, arguments) = name_and_arguments(piece.inside);
        match name {
            "raw" => {
                if let Some(end) = self.end_of("raw", "endraw", piece.start) {
                    self.push_text(end.start, end.trim_before);
                    (self.at, self.trim) = (end.end, end.trim_after);
                }
            }
            "comment" => {
                if let Some(end) = self.end_of("comment", "endcomment", piece.start) {
                    (self.at, self.trim) = (end.end, end.trim_after);
                }
            }
            "" | "#" => {}
            name => self.tokens.push((piece.start, Token::Tag(name, arguments))),
        }
        true
    }

    fn push_text(&mut self, end: usize, trim_end: bool) {
        let start = self.at;
        let mut text = self.pieces.text.get(start..end).unwrap_or_default();
        if self.trim {
            text = text.trim_start();
        }
        if trim_end {
            text = text.trim_end();
        }
        if !text.is_empty() {
            self.tokens.push((start, Token::Text(text)));
        }
    }

    fn end_of(&mut self, block: &'static str, end: &str, start: usize) -> Option<Piece<'a>> {
        let found = if self.endless.contains(&block) { None } else { self.pieces.closing(self.at, block, end) };
        if found.is_none() {
            self.endless.push(block);
            self.tokens.push((start, Token::Unclosed(block)));
        }
        found
    }
}

/// Finds delimited pieces, each in time that grows with what it passes over.
struct Pieces<'a> {
    text: &'a str,
    /// From here on no output, and no tag, is closed.
    last_output: usize,
    last_tag: usize,
}

impl<'a> Pieces<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, last_output: last(text, *b"}}"), last_tag: last(text, *b"%}") }
    }

    fn next_from(&self, mut at: usize) -> Option<Piece<'a>> {
        loop {
            let found = self.text.get(at..)?.find('{')? + at;
            let piece = match self.text.as_bytes().get(found + 1) {
                Some(b'%') => self.at(found, true),
                Some(b'{') => self.at(found, false),
                _ => None,
            };
            if piece.is_some() {
                return piece;
            }
            at = found + 1;
        }
    }

    /// The tag that closes a block of which the inside is not read. Comments nest.
    fn closing(&self, from: usize, block: &str, end: &str) -> Option<Piece<'a>> {
        let (mut at, mut open) = (from, 1_usize);
        loop {
            let start = self.text.get(at..)?.find("{%")? + at;
            at = start + 2;
            let Some(piece) = self.at(start, true) else { continue };
            let (name, _) = name_and_arguments(piece.inside);
            if name == end {
                open -= 1;
            } else if name == block && block == "comment" {
                open += 1;
            }
            if open == 0 {
                return Some(piece);
            }
        }
    }

    /// The piece that begins at `start`, unless it is never closed or another begins inside it: then it is a stray.
    fn at(&self, start: usize, is_tag: bool) -> Option<Piece<'a>> {
        let from = start + 2;
        if from > if is_tag { self.last_tag } else { self.last_output } {
            return None;
        }
        let rest = self.text.get(from..)?;
        let length = inside_length(rest, is_tag)?;
        let inside = rest.get(..length)?;
        let end = from + length + 2;
        let trim_before = inside.starts_with('-');
        let trim_after = inside.ends_with('-') && inside.len() > 1;
        let inside = inside.strip_prefix('-').unwrap_or(inside);
        let inside = if trim_after { inside.strip_suffix('-').unwrap_or(inside) } else { inside };
        Some(Piece { is_tag, inside: inside.trim(), start, end, trim_before, trim_after })
    }
}

/// How far the closing delimiter is, unless another opening comes first. Quotes hide openings, not closings: so does
/// Liquid.
fn inside_length(rest: &str, is_tag: bool) -> Option<usize> {
    let closing = if is_tag { (b'%', b'}') } else { (b'}', b'}') };
    let mut quote = None;
    for (at, (a, b)) in rest.bytes().zip(rest.bytes().skip(1)).enumerate() {
        if (a, b) == closing {
            return Some(at);
        }
        match (quote, a) {
            (Some(open), a) if a == open => quote = None,
            (None, b'"' | b'\'') => quote = Some(a),
            (None, b'{') if b == b'%' || (b == b'{' && !is_tag) => return None,
            _ => {}
        }
    }
    None
}

fn name_and_arguments(inside: &str) -> (&str, &str) {
    let inside = inside.trim();
    let end = inside.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(inside.len());
    if end == 0 {
        let end = inside.find(char::is_whitespace).unwrap_or(inside.len());
        return (inside.get(..end).unwrap_or_default(), "");
    }
    (inside.get(..end).unwrap_or_default(), inside.get(end..).unwrap_or_default().trim())
}

/// Asked of every text, and mostly in vain: one byte is looked for much faster than two.
fn last(text: &str, wanted: [u8; 2]) -> usize {
    let bytes = text.as_bytes();
    let mut ends = memchr::memrchr_iter(wanted[1], bytes);
    ends.find_map(|end| end.checked_sub(1).filter(|start| bytes[*start] == wanted[0])).unwrap_or(0)
}
