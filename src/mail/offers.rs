//! What a mail server says it can do, in its answer to EHLO.

use lettre::transport::smtp::authentication::Mechanism;

use crate::domain::bounce::Reply;

/// Keywords, and ways to log in.
#[derive(Debug, Default)]
pub struct Offers {
    pub keywords: Vec<String>,
    pub mechanisms: Vec<Mechanism>,
    /// How large a message may be.
    pub size: Option<usize>,
}

impl Offers {
    pub fn read(reply: &Reply) -> Self {
        let mut offers = Self::default();
        for line in reply.lines.iter().skip(1) {
            let line = line.to_ascii_uppercase();
            let mut words = line.split([' ', '=']);
            match words.next() {
                Some("AUTH") => offers.mechanisms.extend(words.filter_map(mechanism)),
                Some(keyword) => {
                    offers.keywords.push(keyword.to_owned());
                    if keyword == "SIZE" {
                        offers.size = words.next().and_then(|size| size.parse().ok());
                    }
                }
                None => {}
            }
        }
        offers
    }

    pub fn has(&self, keyword: &str) -> bool {
        self.keywords.iter().any(|offered| offered == keyword)
    }
}

fn mechanism(word: &str) -> Option<Mechanism> {
    match word {
        "PLAIN" => Some(Mechanism::Plain),
        "LOGIN" => Some(Mechanism::Login),
        _ => None,
    }
}
