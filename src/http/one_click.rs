//! The body of a one-click unsubscription (RFC 8058, section 3.2): the one pair `List-Unsubscribe=One-Click`, written
//! as either of the two ways in which forms are sent.

use super::form;

const NAME: &str = "List-Unsubscribe";
const VALUE: &str = "One-Click";

/// Whether the body says the words. A type that is missing or unknown is read as the usual one.
pub fn is_asked_for(content_type: &str, body: &[u8]) -> bool {
    let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let pairs = if kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        form::parameter(parameters, "boundary").and_then(|boundary| form::parts(body, &boundary)).unwrap_or_default()
    } else {
        form::urlencoded(body)
    };
    pairs.iter().any(|(name, value)| name == NAME && value.trim() == VALUE)
}

/// Puts the pair into a page's form, whoever wrote the page's template: a button that does nothing would be worse than
/// an ugly one.
pub fn fill_in(html: &str) -> String {
    let field = format!("<input type=\"hidden\" name=\"{NAME}\" value=\"{VALUE}\">\n</form>");
    html.replacen("</form>", &field, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    #[test]
    fn the_words_are_found_however_a_form_is_sent_and_nothing_else_is() {
        let part = |name: &str, value: &str| {
            format!("--b\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n--b--\r\n")
        };
        let good = part("\"List-Unsubscribe\"", "One-Click");
        let typed = good.replacen("\r\n\r\n", "\r\nContent-Type: text/plain\r\n\r\n", 1);
        let lines = good.replace("\r\n", "\n");
        for (content_type, body, expected) in [
            (FORM, "List-Unsubscribe=One-Click", true),
            (FORM, "List-Unsubscribe=One%2DClick\r\n", true),
            ("application/x-www-form-urlencoded; charset=UTF-8", "a=b&List-Unsubscribe=One-Click", true),
            ("", "List-Unsubscribe=One-Click", true),
            ("multipart/form-data; boundary=b", &good, true),
            ("Multipart/Form-Data; charset=utf-8; Boundary=\"b\"", &good, true),
            ("multipart/form-data; boundary=b", &typed, true),
            ("multipart/form-data; boundary=b", &lines, true),
            ("multipart/form-data; boundary=b", &part("List-Unsubscribe", "One-Click"), true),
            (FORM, "", false),
            (FORM, "List-Unsubscribe", false),
            (FORM, "List-Unsubscribe=One-Click-Not", false),
            (FORM, "list-unsubscribe=one-click", false),
            (FORM, "One-Click=List-Unsubscribe", false),
            ("application/json", "{\"List-Unsubscribe\":\"One-Click\"}", false),
            ("multipart/form-data", &good, false),
            ("multipart/form-data; boundary=", &good, false),
            ("multipart/form-data; boundary=c", &good, false),
            ("multipart/form-data; boundary=b", "List-Unsubscribe=One-Click", false),
            ("multipart/form-data; boundary=b", &part("other", "One-Click"), false),
            ("multipart/form-data; boundary=b", &part("\"List-Unsubscribe\"", "Two-Clicks"), false),
        ] {
            assert_eq!(is_asked_for(content_type, body.as_bytes()), expected, "{content_type}: {body}");
        }
        assert!(!is_asked_for("multipart/form-data; boundary=b", b"--b\xff"));
    }

    #[test]
    fn the_button_posts_the_words() {
        let html = fill_in("<form method=\"post\"><button>Go</button>\n</form>");
        assert!(html.contains("name=\"List-Unsubscribe\" value=\"One-Click\">\n</form>"), "{html}");
    }
}
