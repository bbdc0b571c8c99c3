use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::Cleaner;
use super::*;

fn page() -> Url {
    Url::parse("https://a.example/2021/post").unwrap()
}

fn sanitised(html: &str) -> Option<String> {
    Cleaner::new(&page()).sanitised(html).ok()
}

#[test]
fn tidy_html_is_cleaned_as_the_sanitiser_does() {
    for html in [
        "<h1>A</h1>\n<p>a &amp; b &lt; c &gt; d &quot;e&quot; 'f' & > \u{a0}&nbsp;é</p>\n",
        "<p><img src=\"../i.png\" alt=\"a &quot;b&quot;\" width=\"70%\" class=\"x\" /> <br/> <br></p>",
        "<p><a href=\"/x?a=1&amp;b=2\" id=\"y\" onclick=\"z()\">a <em>b <strong>c</strong></em></a></p>",
        "<p><a href=\"javascript:alert(1)\" title='\"'>a</a><a href=\"http://[\">b</a><a href>c</a></p>",
        "<pre><code class=\"language-rust\">fn a() -&gt; &amp;str {}\n</code></pre>",
        "<ul>\n<li>a</li>\n<li>\n<p>b</p>\n<ol start=\"3\"><li><b>c</b></li></ol>\n</li>\n</ul>",
        "<dl><dt>a</dt><dd>b</dd></dl><blockquote>\n<p>c</p>\n</blockquote><hr /><hr>",
        "<table><thead><tr><th style=\"text-align: right\">a</th></tr></thead><tbody>\n<tr><td>b</td></tr>\n</tbody></table>",
        "<div style=\"x\"><style scoped>\n .a > b { c: d }\n</style>\n<table border=\"1\" class=\"dataframe\">\n  <thead>\n    \
         <tr style=\"text-align: right;\">\n <th></th>\n </tr>\n </thead>\n <tbody>\n <tr>\n <th>0</th>\n </tr> </tbody>\n\
         </table>\n</div>",
        "<iframe width=560 src=\"https://v.example/\" allowfullscreen></iframe><script>if (a < b) {}</script>a<!-- b -->c",
        "<p>a<sub>b</sub><kbd>c</kbd></p><details open><summary>d</summary>e</details><b><b><b><b>f</b></b></b></b>",
        "<table>\n<caption>a <b>b</b></caption> <tr><td>c</td>\n</tr> <tr><th>d</th></tr>\n</table>e",
        "<table><thead>\n<th>a</th><th>b</th>\n</thead><tbody><td>c</td></tr><tr><td>d</td></tr></tbody></table>",
        "<table><td>a</td></table><table><td>b</td></tbody></table>c",
        "<table><tr><td><table><tbody><tr><td>a</td></tr></tbody></table></td></tr></tbody></table>",
        "<table><tbody><tr><td><p>a</p><table><tr><th>b</th></tr></table><p>c</p></td></tr></tbody></table>",
        "<p><video width=\"600\" autoplay loop controls poster=\"p.png\"><source src=\"v.mp4\" type=\"video/mp4\"> a</video></p>",
        "<a href= \"/a?format=jpg&name=small&copy=1&amp;lt=2\" title='&reg='>b</a><img src='x'\n width=\"40%\">",
        "<link href=\"a.css\" rel=stylesheet><meta name=a>b<script>'</p>' + \"<p>\" + '</scrip'</script><style></ style></style>c",
    ] {
        assert!(clean(&page(), html).is_some(), "{html}");
        assert_eq!(clean(&page(), html), sanitised(html), "{html}");
    }
}

#[test]
fn what_a_parser_would_mend_is_left_to_the_sanitiser() {
    for html in [
        "<p>a",
        "<p>a<p>b</p></p>",
        "<p><div>a</div></p>",
        "<b><p>a</b></p>",
        "</p>",
        "<li>a</li>",
        "<a><b><a>x</a></b></a>",
        "<h1><h2>a</h2></h1>",
        "<table>a<tbody></tbody></table>",
        "<table><tr><td>a</td></tr><tbody></tbody></table>",
        "<table><td>a</td><tr><td>b</td></tr></table>",
        "<table><tr><td>a</td></table>",
        "<table><tr><td>a</td></tr></TBODY></table>",
        "<table><tr><td>a</td></tr><caption>b</caption></table>",
        "<table><caption><tr></tr></caption></table>",
        "<a title=\"&copy\">b</a>",
        "<a title=\"&copy;=\">b</a>",
        "<a href=>b</a>",
        "<script>a</SCRIPT>",
        "<P>a</P>",
        "<p/>a</p>",
        "<pre>\na</pre>",
        "a\r\nb",
        "a\0b",
        "&copy;",
        "&#60;script&#62;",
        "a &lt b",
        "<p title=a/>b</p>",
        "<p title=\"a\"lang=\"b\">c</p>",
        "<p title=\"a\" title=\"b\">c</p>",
        "<p TITLE=\"a\">b</p>",
        "<!-->a-->",
        "<!--a--!>b-->",
        "<!doctype html>",
        "<?php a ?>",
        "< a>",
        "<script>\"<!--<script>\"</script>\"</script>",
        "<svg><p>a</p></svg>",
        "<section>a</section>",
        "<tr><td>a</td></tr>",
        "<img srcset=\"a 1x\">",
        "\u{feff}a",
        "<p><table></table></p>",
        "<td style=\"position:fixed\">a</td>",
        "<code class=\"x\">a</code>",
        "<a href=\"\nx\" href='y'>z</a>",
        "<p title='",
    ] {
        assert_eq!(clean(&page(), html), None, "{html}");
    }
}

/// All that is known here, and some that is not.
const ELEMENTS: &str = "a abbr address article aside audio b bdi bdo blockquote br caption center cite code data del details \
    dfn div dl em figcaption figure font footer form h1 h6 header hgroup hr i img ins kbd link main mark meta nav object ol p \
    picture pre q ruby s samp section select small source span strike strong sub summary sup template time track tt u ul var \
    video wbr";
const ATTRIBUTES: &str = "action align alt border char charoff cite class colspan controls data-x datetime dir formaction \
    headers height href hreflang id kind label lang loading media name onclick open ping poster rel reversed rowspan scope \
    size sizes span src srclang srcset start style summary target title type value width xlink:href";
/// Where the parent matters; `@` is where the attribute goes.
const INSIDE: [&str; 9] = [
    "<table @><tbody></tbody></table>",
    "<table><caption @>a</caption><tr><td>b</td></tr></table>",
    "<table><thead @></thead></table>",
    "<table><tbody @><tr></tr></tbody></table>",
    "<table><tbody><tr @><td>a</td></tr></tbody></table>",
    "<table><tbody><tr><td @>a</td><th>b</th></tr></tbody></table>",
    "<table><tr><th @>a</th></tr></table>",
    "<ul><li @>a</li></ul>",
    "<dl><dt @>a</dt><dd @>b</dd></dl>",
];

#[test]
fn each_element_and_attribute_is_taken_as_the_sanitiser_takes_it() {
    // What the sanitiser lets pass is asked of itself, so that a change there is seen here.
    let sanitiser = Cleaner::sanitiser(&page());
    let own = sanitiser.clone_tag_attributes();
    let elements: BTreeSet<&str> = ELEMENTS.split_whitespace().chain(sanitiser.clone_tags()).collect();
    let attributes: BTreeSet<&str> = (ATTRIBUTES.split_whitespace())
        .chain(sanitiser.clone_generic_attributes())
        .chain(own.values().flatten().copied())
        .collect();
    let alone = elements.iter().map(|name| match kind(name) {
        Some(Kind::Void | Kind::Rule | Kind::Nothing) => format!("<{name} @>"),
        _ => format!("<{name} @>a</{name}>"),
    });
    let mut passed = 0;
    for form in alone.chain(INSIDE.map(str::to_owned)) {
        for value in ["x", "", "/a?b&amp;c", "javascript:a", "text-align: left"] {
            for attribute in &attributes {
                let html = form.replace('@', &format!("{attribute}=\"{value}\""));
                let Some(clean) = clean(&page(), &html) else { continue };
                assert_eq!(Some(clean), sanitised(&html), "{html}");
                passed += 1;
            }
        }
    }
    assert!(passed > 10_000, "{passed}");
}

const NAMES: &str = "a b blockquote button caption code dd details div dl dt em figure font h1 h2 i iframe li link math ol p pre \
    script section select source span style sub summary svg table tbody td template th thead tr ul video";
const TEXTS: [&str; 30] = [
    "a",
    " ",
    "\n",
    "&amp;",
    "&quot;",
    "&",
    "&a",
    "&a=",
    "&#39;",
    "&nbsp;",
    "\u{a0}",
    "é",
    ">",
    "\"",
    "'",
    "<",
    "<!-- b -->",
    "<!--",
    "-->",
    "<br>",
    "<hr/>",
    "<img src=\"e.png\">",
    "\u{c}",
    "Ǆ",
    "</",
    "<!",
    "\u{2028}",
    "\u{85}",
    "\u{1}",
    "&lt",
];
const WITHIN_TAGS: [&str; 18] = [
    "",
    "",
    "",
    " ",
    " title=\"&amp;<>\"",
    " href=x",
    " href='/a b?c&d=e'",
    " src=\"//c/d\"",
    " class=\"language-a\"",
    " lang",
    "/",
    " /",
    " style=\"text-align: left\"",
    " title=\"",
    " =",
    " a=b\"c",
    " data-x='>'",
    " title= \"&lt=&copy=\"",
];

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(NAMES.split_whitespace().collect::<Vec<_>>())
}

/// A piece of markup, of which many fit together.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        (name(), prop::sample::select(&WITHIN_TAGS)).prop_map(|(name, within)| format!("<{name}{within}>")),
        name().prop_map(|name| format!("</{name}>")),
        prop::sample::select(&TEXTS).prop_map(str::to_owned),
    ]
}

/// Elements closed where they stand, with such pieces in them.
fn nested() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![3 => Just("a &amp; \u{a0}b".to_owned()), 1 => piece(), 1 => Just("\n ".to_owned())];
    leaf.prop_recursive(8, 48, 4, |inner| {
        (name(), prop::collection::vec(inner, 0..4))
            .prop_map(|(name, inner)| format!("<{name}>{}</{name}>", inner.concat()))
    })
}

/// Tables, some of them sound.
fn table() -> impl Strategy<Value = String> {
    let cell =
        prop_oneof![3 => "<t[dh]>a</t[dh]>", 1 => nested().prop_map(|inner| format!("<td>{inner}</td>")), 1 => piece()];
    let several = |part: BoxedStrategy<String>| prop::collection::vec(part, 0..3).prop_map(|parts| parts.concat());
    let row =
        prop_oneof![5 => several(cell.boxed()).prop_map(|cells| format!("<tr> {cells}</tr>")), 1 => piece()].boxed();
    let rows = prop_oneof![
        several(row.clone()),
        several(row.clone()).prop_map(|rows| format!("<tbody>{rows}</tbody>\n")),
        several(row).prop_map(|rows| format!("<thead>\n{rows}</thead>")),
        Just("<caption>a</caption>".to_owned()),
    ];
    several(rows.boxed()).prop_map(|inner| format!("<table>{inner}</table>"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn whatever_passes_is_what_the_sanitiser_makes_of_it(pieces in prop::collection::vec(piece(), 0..12)) {
        let html = pieces.concat();
        if let Some(clean) = clean(&page(), &html) {
            prop_assert_eq!(Some(clean), sanitised(&html), "{}", html);
        }
    }

    #[test]
    fn however_it_is_nested(pieces in prop::collection::vec(prop_oneof![nested(), table()], 1..4)) {
        let html = pieces.concat();
        if let Some(clean) = clean(&page(), &html) {
            prop_assert_eq!(Some(clean), sanitised(&html), "{}", html);
        }
    }
}
