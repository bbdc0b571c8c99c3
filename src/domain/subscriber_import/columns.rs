//! Which kind of file a header makes it, and which of its columns are read.

use super::super::wording;
use super::formats::{COMMON_NAMES, FORMATS, Format, PLAIN, Tool, Use};

/// Longer names are cut where they are shown or kept.
const LONGEST_NAME: usize = 60;

/// A column that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub index: usize,
    pub header: String,
    pub read_as: Use,
}

/// What a file is recognised as.
#[derive(Debug)]
pub struct Columns {
    pub format: &'static Format,
    /// In the file's order.
    pub read: Vec<Column>,
    pub ignored: Vec<String>,
    /// How many columns the header has; `None` in a list of bare addresses.
    pub width: Option<usize>,
}

impl Columns {
    /// A list of one address a line, without a header.
    #[must_use]
    pub fn bare() -> Self {
        let email = Column { index: 0, header: "e-mail".to_owned(), read_as: Use::Email };
        Self { format: PLAIN, read: vec![email], ignored: Vec::new(), width: None }
    }

    #[must_use]
    pub fn email(&self) -> Option<usize> {
        self.read.iter().find(|column| column.read_as == Use::Email).map(|column| column.index)
    }

    /// What a header says, of the tool that was named or of any; or why it says nothing.
    pub fn of(header: &[String], wanted: Option<Tool>) -> Result<Self, String> {
        let has = |name: &&str| header.iter().any(|column| column == name);
        let recognised = |format: &&&Format| format.signature.iter().all(&has);
        let known = FORMATS.iter().filter(|format| wanted.is_none_or(|tool| tool == format.tool));
        let format = match (known.clone().find(|format| recognised(&format)), wanted) {
            (Some(format), _) => format,
            (None, None | Some(Tool::Csv)) => PLAIN,
            (None, Some(tool)) => return Err(unlike(known, tool, has)),
        };
        let columns = Self::read_as(format, header);
        if columns.email().is_some() {
            return Ok(columns);
        }
        Err("no column is called `email`; expected a header like `email,name`, or one address a line".to_owned())
    }

    fn read_as(format: &'static Format, header: &[String]) -> Self {
        let mut uses: Vec<Option<Use>> = vec![None; header.len()];
        for (name, read_as) in format.columns {
            if let Some(at) = header.iter().position(|column| column == name) {
                uses[at].get_or_insert(*read_as);
            }
        }
        for (name, read_as) in COMMON_NAMES {
            let person = matches!(read_as, Use::Email | Use::Name | Use::FirstName | Use::LastName);
            let there = uses.iter().flatten().any(|found| found == read_as);
            // Whoever runs a list may have renamed its name and address; nothing else.
            if (format.tool != Tool::Csv && !person) || (person && there) {
                continue;
            }
            let found = header.iter().enumerate().find(|(at, column)| uses[*at].is_none() && loose(column) == **name);
            if let Some((at, _)) = found {
                uses[at] = Some(*read_as);
            }
        }
        let mut columns = Self { format, read: Vec::new(), ignored: Vec::new(), width: Some(header.len()) };
        for ((index, header), read_as) in header.iter().enumerate().zip(uses) {
            let header: String = header.chars().take(LONGEST_NAME).collect();
            match read_as {
                Some(read_as) => columns.read.push(Column { index, header, read_as }),
                None if header.is_empty() => {}
                None => columns.ignored.push(header),
            }
        }
        columns
    }
}

/// In lower case and without spaces and marks.
fn loose(name: &str) -> String {
    name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Why the file is not one of `tool`'s: what the nearest of its headers has, and this one has not.
fn unlike<'a>(formats: impl Iterator<Item = &'a Format>, tool: Tool, has: impl Fn(&&str) -> bool) -> String {
    let missing = formats
        .map(|format| format.signature.iter().filter(|name| !has(name)).map(|name| format!("`{name}`")).collect())
        .min_by_key(Vec::len)
        .unwrap_or_default();
    format!("the header is none that {} writes: it lacks {}", tool.as_str(), wording::list::<String>(&missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Vec<String> {
        text.split(',').map(str::to_owned).collect()
    }

    #[test]
    fn every_tool_is_known_by_its_own_header() {
        let tail = "MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,\
                    CC,REGION";
        let mailchimp =
            |more: &str| format!("Email Address,First Name,Last Name,Town,{tail},{more},LEID,EUID,NOTES,TAGS");
        for (text, label) in [
            (mailchimp("LAST_CHANGED"), "Mailchimp, subscribed"),
            (
                mailchimp("UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER"),
                "Mailchimp, unsubscribed",
            ),
            (mailchimp("CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID"), "Mailchimp, cleaned"),
            // Could be two: nobody becomes active.
            (mailchimp("UNSUB_TIME,LAST_CHANGED"), "Mailchimp, unsubscribed"),
            ("email,active_subscription,expiry,email_disabled,prefer_digests,created_at".into(), "Substack"),
            (
                "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at".into(),
                "Substack",
            ),
            (
                "email,expiry,email_disabled,prefer_digests,stripe_connected_customer_id,type".into(),
                "Substack, older",
            ),
            (
                "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,\
                 labels,tiers,gift_id"
                    .into(),
                "Ghost",
            ),
            (
                "email,First Name,Last Name,status,tier,created_at,stripe_customer_id,Free,unsubscribed_at,Subscription \
                 Date (Substack)"
                    .into(),
                "beehiiv",
            ),
            (
                "id,secondary_id,email,notes,subscriber_type,referrer_url,utm_source,utm_medium,utm_campaign,\
                 creation_date,ip_address,subscription_date,unsubscription_date,tags,metadata"
                    .into(),
                "Buttondown",
            ),
            ("uuid,email,name,attributes,status,created_at,updated_at".into(), "listmonk"),
            ("email,name,attributes".into(), "listmonk, made for its import"),
            ("Email Address,Subscribed at,UTM Source,UTM Medium".into(), "Curated"),
            ("email,First name,Last name,Date added,Last modified,status,clicks,opens".into(), "tinynews"),
            ("email,name,state,source,created_at,changed_at".into(), "gazetted"),
            // One letter's case, and it is anybody's list.
            ("UUID,email,name,attribute,status,created_at".into(), "a plain list"),
            ("E-Mail Address,Name".into(), "a plain list"),
        ] {
            let columns = Columns::of(&header(&text), None).unwrap();
            assert_eq!(columns.format.label, label, "{text}");
            assert!(columns.email().is_some(), "{text}");
        }
    }

    #[test]
    fn columns_of_a_plain_list_may_be_called_what_people_call_them() {
        let columns = Columns::of(&header("Address,E-Mail,Full_Name,Opt-Out,Shoe size"), None).unwrap();
        let read: Vec<&str> = columns.read.iter().map(|column| column.header.as_str()).collect();
        assert_eq!((read, columns.email()), (vec!["E-Mail", "Full_Name", "Opt-Out"], Some(1)));
        assert_eq!(columns.ignored, ["Address", "Shoe size"]);
    }

    #[test]
    fn a_renamed_name_or_address_of_a_known_tool_is_found() {
        let columns = Columns::of(&header("E-Mail,Surname,state,LAST_CHANGED,LEID,EUID"), None).unwrap();
        assert_eq!((columns.format.label, columns.email()), ("Mailchimp, subscribed", Some(0)));
        assert_eq!(columns.ignored, ["state", "LAST_CHANGED", "LEID", "EUID"]);
    }

    #[test]
    fn a_header_that_says_nothing_or_is_not_the_named_tools_is_refused() {
        assert!(Columns::of(&header("first,second"), None).unwrap_err().contains("no column is called `email`"));
        assert_eq!(
            Columns::of(&header("email,name,uuid,attributes,created_at"), Some(Tool::Buttondown)).unwrap_err(),
            "the header is none that buttondown writes: it lacks `subscriber_type` and `creation_date`"
        );
        assert_eq!(Columns::of(&header("email,status"), Some(Tool::Csv)).unwrap().format.tool, Tool::Csv);
    }
}
