//! `gazetted doctor`: whether a real set-up is right, a line a rule, and what to do about what is not.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;

use super::error::Failure;
use super::{Done, open, print};
use crate::config;
use crate::daemon::doctor::{Options, examine};
use crate::domain::doctor::{Area, Finding, Outcome};
use crate::domain::wording;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only these; may be given more than once
    #[arg(long, value_name = "AREA", value_parser = areas())]
    only: Vec<Area>,
    /// A name server to ask instead of the system's, for web addresses too: `9.9.9.9`, `127.0.0.1:5353`
    #[arg(long, value_name = "ADDR", value_parser = name_server)]
    dns: Option<SocketAddr>,
    /// The address that mail goes out from, if a provider's relay does not show it; may be given more than once
    #[arg(long, value_name = "IP")]
    sends_from: Vec<IpAddr>,
    /// A digest that arrived, as your mail program saves it: who signed it, and what the receiver's server says
    #[arg(long, value_name = "FILE")]
    mail: Option<PathBuf>,
    /// Facts as JSON
    #[arg(long)]
    json: bool,
}

fn areas() -> impl clap::builder::TypedValueParser<Value = Area> {
    let names = PossibleValuesParser::new(Area::ALL.map(Area::as_str));
    names.map(|name| Area::ALL.into_iter().find(|area| area.as_str() == name).unwrap_or(Area::Configuration))
}

/// An address with or without a port.
fn name_server(text: &str) -> Result<SocketAddr, String> {
    let bare = || text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
    text.parse().or_else(|_| bare()).map_err(|_| "expected an address like `9.9.9.9` or `127.0.0.1:5353`".to_owned())
}

pub async fn run(config: Option<&Path>, given: Arguments) -> Done {
    let Arguments { only, dns, sends_from, mail, json } = given;
    let loaded = config::load(&config::find(config));
    let options = Options { areas: only, dns, sends_from, mail, now: open::now() };
    let found = examine(loaded, &options).await?;
    if json {
        print::json(&found)?;
    } else {
        print::text(&told(&found, print::is_coloured()))?;
    }
    eprintln!("{}", counted(&found));
    let wrong = found.iter().any(|finding| finding.outcome == Outcome::Wrong);
    if wrong { Err(Failure::Quiet) } else { Ok(()) }
}

fn told(found: &[Finding], coloured: bool) -> String {
    let width = found.iter().map(|finding| finding.rule.len()).max().unwrap_or(0);
    let mut out = String::new();
    let mut area = None;
    for finding in found {
        if area.replace(finding.area) != Some(finding.area) {
            out.push_str(if out.is_empty() { "" } else { "\n" });
            out.push_str(&format!("{}\n", finding.area.as_str()));
        }
        let mark = finding.outcome.mark();
        let mark = if coloured { format!("\x1b[{}m{mark}\x1b[0m", colour(finding.outcome)) } else { mark.to_string() };
        out.push_str(&format!("  {mark} {:width$}  {}\n", finding.rule, shown(&finding.message)));
        if let Some(remedy) = &finding.remedy {
            out.push_str(&format!("    {:width$}  → {}\n", "", shown(remedy)));
        }
    }
    out
}

/// What strangers' servers say stays on its line.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn colour(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Right => "32",
        Outcome::Wrong => "1;31",
        Outcome::Advice => "33",
        Outcome::Skipped => "2",
    }
}

fn counted(found: &[Finding]) -> String {
    let of = |outcome| found.iter().filter(|finding| finding.outcome == outcome).count();
    let all = wording::digits(u32::try_from(found.len()).unwrap_or(u32::MAX), "line");
    format!(
        "{all}: {} right, {} wrong, {} could be better, {} not looked at",
        of(Outcome::Right),
        of(Outcome::Wrong),
        of(Outcome::Advice),
        of(Outcome::Skipped)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_told_by_area_with_their_remedy() {
        let found = [
            Finding::right("spf", "good"),
            Finding::wrong("dkim", "a record\nof \u{1b}[31mtwo lines", "paste this"),
            Finding::skipped("message", "no mail"),
        ];
        assert_eq!(
            told(&found, false),
            "dns\n  ✓ spf      good\n  ✗ dkim     a record of  [31mtwo lines\n             → paste this\n\nmail\n  – message  no mail\n"
        );
        assert!(told(&found, true).contains("\u{1b}[32m✓\u{1b}[0m"));
        assert_eq!(counted(&found), "3 lines: 1 right, 1 wrong, 0 could be better, 1 not looked at");
    }

    #[test]
    fn a_name_server_is_an_address_with_or_without_a_port() {
        for (text, expected) in
            [("9.9.9.9", Some("9.9.9.9:53")), ("[::1]:5353", Some("[::1]:5353")), ("dns.example", None)]
        {
            assert_eq!(name_server(text).ok().map(|found| found.to_string()).as_deref(), expected, "{text}");
        }
    }
}
