//! What an RSS 2.0 channel says of itself beside its title: how often to ask, its picture, its cloud and its form.

use super::Findings;
use super::addresses::Wanted;
use super::rss::own;
use crate::domain::feed_document::tree::{Element, Space};

/// A day, in minutes.
const LONGEST_TTL: u32 = 1_440;
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

pub(super) fn check(channel: &Element<'_>, findings: &mut Findings<'_>) {
    if let Some(ttl) = own(channel, "ttl") {
        check_ttl(ttl, findings);
    }
    if let Some(image) = own(channel, "image") {
        check_image(image, findings);
    }
    if let Some(cloud) = own(channel, "cloud") {
        check_cloud(cloud, findings);
    }
    if let Some(form) = own(channel, "textInput") {
        check_form(form, findings);
    }
    if let Some(docs) = own(channel, "docs") {
        findings.address(docs.at, "`docs`", &docs.text(), Wanted::Page);
    }
    let hour = |text: &str| text.parse::<u8>().is_ok_and(|hour| hour < 24);
    skips(channel, ("skipHours", "hour"), hour, "expected 0 to 23", findings);
    skips(channel, ("skipDays", "day"), |text| DAYS.contains(&text), "expected `Monday` to `Sunday`", findings);
}

fn check_cloud(cloud: &Element<'_>, findings: &mut Findings<'_>) {
    let hint = "or leave it out: WebSub (`rel=hub`) has taken its place";
    for name in ["domain", "port", "path", "registerProcedure", "protocol"] {
        match cloud.attribute(name) {
            None => findings.error(cloud.at, "cloud", format!("`cloud` has no `{name}`"), hint),
            Some(port) if name == "port" && !port.parse::<u16>().is_ok_and(|port| port > 0) => {
                findings.error(cloud.at, "cloud", format!("the port of `cloud` is `{port}`"), "expected 1 to 65535");
            }
            Some(_) => {}
        }
    }
}

fn check_form(form: &Element<'_>, findings: &mut Findings<'_>) {
    findings.once(form, Space::None, &[]);
    for name in ["title", "description", "name", "link"].into_iter().filter(|name| own(form, name).is_none()) {
        let hint = "or leave it out: hardly a reader shows it";
        findings.error(form.at, "text-input", format!("`textInput` has no `{name}`"), hint);
    }
    if let Some(link) = own(form, "link") {
        findings.address(link.at, "the `link` of `textInput`", &link.text(), Wanted::Page);
    }
}

fn skips(
    channel: &Element<'_>,
    (name, each): (&str, &str),
    good: impl Fn(&str) -> bool,
    hint: &str,
    findings: &mut Findings<'_>,
) {
    let Some(skips) = own(channel, name) else { return };
    let mut seen: Vec<String> = Vec::new();
    for child in skips.elements().filter(|child| child.name == each) {
        let text = child.text().trim().to_owned();
        if !good(&text) {
            findings.error(child.at, "skip", format!("`{text}` in `{name}` is no {each}"), hint);
        } else if seen.contains(&text) {
            findings.error(child.at, "skip", format!("`{text}` is in `{name}` twice"), "write it once");
        }
        seen.push(text);
    }
    if seen.is_empty() {
        findings.error(skips.at, "skip", format!("`{name}` has no `{each}`"), "or leave it out");
    }
}

fn check_ttl(ttl: &Element<'_>, findings: &mut Findings<'_>) {
    let text = ttl.text();
    match text.trim().parse::<u32>() {
        Err(_) => {
            findings.error(ttl.at, "ttl", format!("`ttl` is `{}`", text.trim()), "expected minutes, such as `60`");
        }
        Ok(0) => findings.warn(ttl.at, "ttl", "`ttl` is 0", "readers then ask as often as they like: write `60`"),
        Ok(minutes) if minutes > LONGEST_TTL => {
            findings.warn(
                ttl.at,
                "ttl",
                format!("`ttl` has readers wait for {minutes} minutes"),
                "they see a new post days late: write `60`",
            );
        }
        Ok(_) => {}
    }
}

fn check_image(image: &Element<'_>, findings: &mut Findings<'_>) {
    findings.once(image, Space::None, &[]);
    for name in ["url", "title", "link"] {
        match own(image, name) {
            None => findings.error(
                image.at,
                "image",
                format!("`image` has no `{name}`"),
                "RSS wants `url`, `title` and `link`",
            ),
            Some(found) if name != "title" => {
                findings.address(found.at, &format!("the image's `{name}`"), &found.text(), Wanted::Page);
            }
            Some(_) => {}
        }
    }
    for (name, most) in [("width", 144), ("height", 400)] {
        let Some(size) = own(image, name) else { continue };
        if !size.text().trim().parse::<u32>().is_ok_and(|size| (1..=most).contains(&size)) {
            let message = format!("the image's `{name}` is `{}`", size.text().trim());
            findings.error(size.at, "image", message, format!("RSS allows 1 to {most}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{RSS, table};

    #[test]
    fn what_a_channel_says_of_itself_is_looked_at() {
        table(
            RSS,
            &[
                ("<ttl>60", "<ttl>1h", "ttl"),
                ("<ttl>60", "<ttl>0", "ttl"),
                ("<ttl>60", "<ttl>100000", "ttl"),
                ("<ttl>60</ttl>", "<docs>rss</docs>", "address-relative"),
                (
                    "<ttl>60</ttl>",
                    "<cloud domain='a' port='0' path='/' registerProcedure='' protocol='xml-rpc'/>",
                    "cloud",
                ),
                ("<ttl>60</ttl>", "<cloud domain='a' port='80' path='/' registerProcedure='' protocol='xml-rpc'/>", ""),
                ("<ttl>60</ttl>", "<cloud domain='a' port='80' path='/' registerProcedure=''/>", "cloud"),
                (
                    "<ttl>60</ttl>",
                    "<textInput><title>a</title><description>b</description><name>c</name><link>https://a.example/</link></textInput>",
                    "",
                ),
                (
                    "<ttl>60</ttl>",
                    "<textInput><title>a</title><description>b</description><link>https://a.example/</link></textInput>",
                    "text-input",
                ),
                (
                    "<ttl>60</ttl>",
                    "<skipHours><hour>0</hour><hour>23</hour></skipHours><skipDays><day>Monday</day></skipDays>",
                    "",
                ),
                ("<ttl>60</ttl>", "<skipHours><hour>24</hour></skipHours>", "skip"),
                ("<ttl>60</ttl>", "<skipDays/>", "skip"),
                ("<ttl>60</ttl>", "<skipDays><day>Monday</day><day>Monday</day></skipDays>", "skip"),
                ("<ttl>60</ttl>", "<dc:language>en</dc:language>", "twice"),
                ("<width>144", "<width>145", "image"),
                ("<width>144", "<width>100</width><width>144", "repeated"),
                ("<height>400", "<height>tall", "image"),
                ("<image><url>https://a.example/i.png</url>", "<image>", "image"),
            ],
        );
    }
}
