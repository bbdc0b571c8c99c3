//! Mails to the bounce address: bounded in all they say, the same when read again, and nobody's bounce without a token.

use gazetted::domain::bounce_message::{LONGEST, Said, read};
use gazetted::domain::token::{Keys, Purpose};
use jiff::Timestamp;

use super::assert_one_line;

const BOX: &str = "bounces@example.org";

pub fn says_no_more_than_a_bounce_may(data: &[u8]) {
    let letter = read(data, &[], BOX);
    assert_eq!(letter, read(data, &[], BOX), "not the same when read again");
    assert_eq!(letter, read(&[data, &vec![b' '; LONGEST][..]].concat()[..data.len()], &[], BOX));
    if let Said::Bounce(finding) = &letter.said {
        assert!(finding.words.chars().count() <= 300, "{}", finding.words.len());
        assert_one_line(&finding.words);
        if let Some(status) = &finding.status {
            assert!(status.len() <= 11, "{status}");
            assert_one_line(status);
        }
    } else {
        assert!(letter.within.is_empty() && letter.answers.is_none(), "what is no bounce brings nothing back");
    }
    assert!(letter.to.len() <= 8 && letter.within.len() <= 8, "too many tokens");
    assert!(!letter.mark.is_empty() && letter.mark.len() <= 310, "{}", letter.mark);
    // Nobody who writes to the box knows the key.
    let keys = Keys::new(&[0x5a; 32], &[]);
    for token in letter.to.iter().chain(&letter.within) {
        for purpose in [Purpose::Bounce, Purpose::Unsubscribe] {
            assert!(keys.read(token, purpose, Timestamp::UNIX_EPOCH).is_err(), "a forged token: {token}");
        }
    }
    let to = format!("bounces+{}@example.org", keys.mint_for_address(Purpose::Bounce, 42));
    let addressed = read(data, std::slice::from_ref(&to), BOX);
    assert_eq!((addressed.to.len(), &addressed.said), (1, &letter.said), "the envelope decides whose it is");
}
