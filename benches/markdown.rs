//! What `benches/feeds.py` compares with: every Markdown file below a folder is read and rendered by pulldown-cmark alone, on
//! all cores, and thrown away. No front matter, no Liquid, no sanitising, no feeds.

use std::path::{Path, PathBuf};

use pulldown_cmark::{Options, Parser, html};
use rayon::prelude::*;

fn main() {
    // `cargo bench` passes `--bench`.
    let Some(folder) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) else { return };
    let mut files = Vec::new();
    list(Path::new(&folder), &mut files);
    let bytes: usize = files.par_iter().map(|file| rendered(file)).sum();
    println!("{} files, {bytes} bytes of HTML", files.len());
}

fn rendered(file: &Path) -> usize {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut out = String::with_capacity(text.len() * 3 / 2);
    html::push_html(&mut out, Parser::new_ext(&text, Options::all()));
    out.len()
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            list(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "md" || ending == "markdown") {
            files.push(path);
        }
    }
}
