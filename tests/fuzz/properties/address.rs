//! Mail addresses, as forms and lists give them: what is taken can be put between `<` and `>` of an SMTP command.

use gazetted::domain::subscriber::Address;

use super::assert_one_line;

pub fn is_refused_or_safe_in_an_envelope(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(address) = Address::parse(&text) else { return };
    let (local, domain) = address.email.rsplit_once('@').expect("an `@`");
    assert!(address.key.len() <= 254 && local.len() <= 64, "too long");
    assert_one_line(&address.email);
    // Commands are written from these: `RCPT TO:<key>`.
    for part in [local, &*address.key] {
        assert!(part.is_ascii(), "{part:?} cannot go out");
        assert!(part.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"()[],;:\\ ".contains(&b)), "{part:?}");
    }
    assert!(!domain.contains(['@', '<', '>', ' ', '\r', '\n', '\0']), "{domain:?}");
    assert!(address.domain().contains('.') && !address.domain().starts_with('.') && !address.domain().contains(".."));
    let again = Address::parse(&address.key).expect("its key is an address");
    assert_eq!(again.key, address.key, "one mailbox, two keys");
    let canonical = address.canonical();
    assert_eq!(canonical.matches('@').count(), 1, "{canonical}");
    assert_eq!(Address::parse(&canonical).map_or(canonical.clone(), |plain| plain.canonical()), canonical);
    assert!(Address::masked(&address.email).chars().count() <= address.email.chars().count() + 4);
}
