use proptest::prelude::*;
use serde_json::json;

use super::*;

fn include(name: &str) -> Option<String> {
    match name {
        "figure.html" => Some(r#"<img src="{{ include.src }}" alt="{{ include.alt }}">"#.into()),
        "loop.html" => Some("{% include loop.html %}x".into()),
        "JB/odd" => Some("\n\n{{ nonsense }}".into()),
        _ => None,
    }
}

fn context<'a>() -> Context<'a> {
    Context {
        site: json!({
            "url": "https://blog.example", "baseurl": "/b", "title": "T & Q",
            "posts": [{"title": "B", "n": 2, "tags": ["x"]}, {"title": "A", "n": 1, "tags": ["y"]}],
        })
        .into(),
        page: json!({"title": "Hello World", "date": "2021-05-07 09:30:00 +0000", "tags": ["a", "b", "c"], "n": 7, "f": 1.5})
            .into(),
        include: &include,
        post_url: &|name| (name == "2021-05-07-name").then(|| "https://blog.example/name".into()),
        link: &|path| (path == "_posts/a.md").then(|| "https://blog.example/a".into()),
        ..Context::default()
    }
}

fn rendered(text: &str) -> String {
    render(text, &context()).text.into_owned()
}

fn unknown(text: &str) -> Vec<String> {
    render(text, &context())
        .unknown
        .iter()
        .map(|u| format!("{}:{} {} {}", u.line, u.column, u.kind.as_str(), u.name))
        .collect()
}

#[test]
fn text_without_liquid_is_handed_back_as_it_is() {
    assert!(matches!(render("# Plain {text} 100%", &context()).text, Cow::Borrowed(_)));
}

#[test]
fn outputs_and_filters_give_what_jekyll_gives() {
    for (template, expected) in [
        ("{{ page.title }}", "Hello World"),
        ("{{page['title']}}", "Hello World"),
        ("{{ site.posts[0].title }}{{ site.posts[-1].title }}", "BA"),
        ("{{ site.posts.first.title }}{{ page.tags.last }}{{ page.tags.size }}", "Bc3"),
        ("{{ 'a b' | upcase | append: \"!\" }}", "A B!"),
        ("{{ '{{' }}", "{{"),
        ("{{ page.missing | default: 'x' }}", "x"),
        ("{{ 'img/a.png' | relative_url }}", "/b/img/a.png"),
        ("{{ '/img/a.png' | absolute_url }}", "https://blog.example/b/img/a.png"),
        ("{{ 'https://x.example/' | absolute_url }}", "https://x.example/"),
        ("{{ page.date | date: '%B %-d, %Y' }}", "May 7, 2021"),
        ("{{ page.date | date_to_xmlschema }}", "2021-05-07T09:30:00+00:00"),
        ("{{ '2021-05-07' | date_to_string }}", "07 May 2021"),
        ("{{ 'rubbish' | date: '%Y' }}", "rubbish"),
        ("{{ 'Hello, Wörld! 2' | slugify }}", "hello-wörld-2"),
        ("{{ '<a href=\"x\">b</a>' | escape }}", "&lt;a href=&quot;x&quot;&gt;b&lt;/a&gt;"),
        ("{{ 'a<b>c</b><script>x<y</script>d' | strip_html }}", "acd"),
        ("{{ 'a b&c' | cgi_escape }} {{ 'a b/ü' | uri_escape }}", "a+b%26c a%20b/%C3%BC"),
        ("{{ page.tags | jsonify }}", r#"["a","b","c"]"#),
        ("{{ page.tags | join: ', ' }}{{ page.tags }}", "a, b, cabc"),
        ("{{ 'a,b,,' | split: ',' | size }}", "2"),
        ("{{ 'b,a,b' | split: ',' | uniq | sort | join: '' }}", "ab"),
        ("{{ site.posts | sort: 'n' | map: 'title' | join: '' }}", "AB"),
        ("{{ site.posts | where: 'n', 1 | map: 'title' }}", "A"),
        ("{{ page.tags | reverse | concat: page.tags | slice: 1, 3 }}", "baa"),
        ("{{ 'abcdef' | slice: -3, 2 }}{{ 'abc' | slice: 0 }}", "dea"),
        ("{{ 'abcdefghij' | truncate: 7 }} {{ 'a b c d' | truncatewords: 2 }}", "abcd... a b..."),
        ("{{ 7 | plus: 1 }} {{ 7 | divided_by: 2 }} {{ -7 | divided_by: 2 }} {{ 7 | divided_by: 2.0 }}", "8 3 -4 3.5"),
        (
            "{{ -7 | modulo: 3 }} {{ 1.25 | round: 1 }} {{ 1.5 | ceil }} {{ '3' | times: 2 }} {{ -3 | abs }}",
            "2 1.3 2 6 3",
        ),
        ("{{ 1 | divided_by: 0 }}", "1"),
        (
            "{{ 'aXbX' | replace: 'X', '-' }} {{ 'aXbX' | replace_first: 'X', '' }} {{ 'aXb' | remove: 'X' }}",
            "a-b- abX ab",
        ),
        ("{{ ' a ' | strip }}|{{ ' a ' | lstrip }}|{{ ' a ' | rstrip }}", "a|a | a"),
        ("{{ \"a\nb\" | newline_to_br }}{{ \"a\nb\" | strip_newlines }}", "a<br />\nbab"),
        ("{{ 'hELLO' | capitalize }} {{ 'a b c' | number_of_words }}", "Hello 3"),
        ("{{ page.f }} {{ 2.0 }} {{ true }} {{ nil }}.", "1.5 2.0 true ."),
        ("a  {{- 1 -}}  b", "a1b"),
    ] {
        assert_eq!(rendered(template), expected, "{template}");
    }
}

#[test]
fn tags_do_what_jekyll_does() {
    for (template, expected) in [
        ("{% assign a = 'x' | upcase %}{{ a }}", "X"),
        ("{% capture a %}<{{ page.n }}>{% endcapture %}{{ a }}{{ a }}", "<7><7>"),
        ("{% if page.n == 7 %}yes{% else %}no{% endif %}", "yes"),
        ("{% if page.n > 7 %}a{% elsif page.n >= 7 %}b{% else %}c{% endif %}", "b"),
        ("{% if page.missing %}a{% endif %}{% unless page.missing %}b{% endunless %}", "b"),
        ("{% if page.title contains 'World' and page.tags contains 'b' %}a{% endif %}", "a"),
        // From right to left: true or (false and false).
        ("{% if true or false and false %}a{% endif %}", "a"),
        ("{% if page.tags == empty %}a{% else %}b{% endif %}{% if page.x == blank %}c{% endif %}", "bc"),
        ("{% if 1 != 1.0 %}a{% else %}b{% endif %}{% if 'a' <> 'b' %}c{% endif %}", "bc"),
        ("{% case page.n %}rubbish{% when 1, 7 %}a{% when 8 %}b{% else %}c{% endcase %}", "a"),
        ("{% case page.n %}{% when 1 or 2 %}a{% else %}c{% endcase %}", "c"),
        (
            "{% for t in page.tags %}{{ forloop.index }}{{ t }}{% unless forloop.last %},{% endunless %}{% endfor %}",
            "1a,2b,3c",
        ),
        ("{% for i in (1..5) reversed %}{{ i }}{% endfor %}", "54321"),
        ("{% for i in (1..9) limit:2 offset:3 %}{{ i }}{% endfor %}", "45"),
        (
            "{% for i in (1..9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}",
            "13",
        ),
        ("{% for i in site.none %}a{% else %}b{% endfor %}", "b"),
        ("{% for p in site.posts %}{% for t in p.tags %}{{ p.title }}{{ t }}{% endfor %}{% endfor %}", "BxAy"),
        ("{% increment a %}{% increment a %}{% decrement b %}", "01-1"),
        ("{% for i in (1..3) %}{% cycle 'a', 'b' %}{% endfor %}", "aba"),
        ("{% raw %}{{ x }}{% y %}{% endraw %}", "{{ x }}{% y %}"),
        ("a{% comment %}{{ x }}{% comment %}{% endcomment %}b{% endcomment %}c", "ac"),
        ("{% post_url 2021-05-07-name %} {% link _posts/a.md %}", "https://blog.example/name https://blog.example/a"),
        ("{% include figure.html src=\"a b.png\" alt=page.title %}", "<img src=\"a b.png\" alt=\"Hello World\">"),
        ("{% include figure.html src='x' %}", "<img src=\"x\" alt=\"\">"),
        ("{% assign f = 'figure.html' %}{% include {{ f }} src='x' %}", "<img src=\"x\" alt=\"\">"),
        ("a {%- if true -%} b {%- endif -%} c", "abc"),
    ] {
        assert_eq!(rendered(template), expected, "{template}");
    }
}

#[test]
fn highlight_becomes_a_fence_nothing_inside_can_close() {
    for (template, expected) in [
        ("{% highlight Python %}\nx = 1\n{% endhighlight %}\n", "```python\nx = 1\n```\n\n"),
        ("{% highlight ruby linenos %}\n\n  a\n\n  b\n\n{% endhighlight %}", "```ruby\n  a\n\n  b\n```\n"),
        ("{% highlight md %}\n````\n~~~\n{% endhighlight %}", "`````md\n````\n~~~\n`````\n"),
        ("1. a\n\n   {% highlight c++ %}\nx\n  y\n   {% endhighlight %}", "1. a\n\n   ```c++\n   x\n     y\n   ```\n"),
        ("See: {% highlight sh %}ls{% endhighlight %}", "See: \n\n```sh\nls\n```\n"),
        ("{% highlight jinja %}{% raw %}{{ x }}{% endraw %}{% endhighlight %}", "```jinja\n{{ x }}\n```\n"),
        ("{% highlight a`b<c> %}x{% endhighlight %}", "```abc\nx\n```\n"),
    ] {
        assert_eq!(rendered(template), expected, "{template}");
    }
}

#[test]
fn what_is_unknown_is_left_out_and_told_once_where_it_first_stands() {
    for (template, text, expected) in [
        ("a\nb {% gist 12 %}{% gist 13 %}c", "a\nb c", vec!["2:3 tag gist"]),
        ("é{% note %}in{% endnote %}", "éin", vec!["1:2 tag note"]),
        ("{{ 'a' | frob: 1 | upcase }}", "A", vec!["1:1 filter frob"]),
        ("{{ x.y }}{{ x.y }}{{ page.z[0] }}", "", vec!["1:1 variable x.y", "1:19 variable page.z[…]"]),
        ("{% include JB/setup %}\nx", "\nx", vec!["1:1 include JB/setup"]),
        ("a\n {% include JB/odd %}", "a\n \n\n", vec!["2:2 variable nonsense"]),
        ("{% post_url no-such %}", "", vec!["1:1 link no-such"]),
        ("{% if x %}a{% endif %}{{ x | default: y }}{% unless x.y != z %}b{% endunless %}", "b", vec![]),
        ("{% if true %}a", "a", vec!["1:1 syntax if is never closed"]),
        (
            "a{% endif %}b{% else %}c",
            "abc",
            vec!["1:2 syntax endif without its beginning", "1:14 syntax else without its beginning"],
        ),
        ("{% if true %}{% capture x %}a{% endif %}b", "b", vec!["1:14 syntax capture is never closed"]),
        ("{% raw %}{{ page.n }}", "7", vec!["1:1 syntax raw is never closed"]),
    ] {
        assert_eq!(rendered(template), text, "{template}");
        assert_eq!(unknown(template), expected, "{template}");
    }
}

#[test]
fn braces_that_are_not_liquid_stay_as_they_are() {
    for text in [
        "a {{ b",
        "a {% b",
        "}} {{",
        "{%",
        "{{",
        "{{{",
        "{ {% }",
        "{{ a {{ b",
        "f'{{' and 100%}",
        "{{ 'a' \n\n {% never",
    ] {
        assert_eq!(rendered(text), text);
        assert_eq!(unknown(text), Vec::<String>::new(), "{text}");
    }
    assert_eq!(rendered("a {{ b {{ page.n }}"), "a {{ b 7");
    assert_eq!(rendered("a {% b {% if true %}c{% endif %}"), "a {% b c");
}

#[test]
fn code_in_markdown_is_liquid_still() {
    assert_eq!(rendered("```\n{{ page.n }}\n```\n\n    {{ page.n }}"), "```\n7\n```\n\n    7");
}

#[test]
fn a_greedy_post_runs_out_of_budget_and_keeps_the_rest_as_written() {
    let doubling =
        "{% assign a = 'xxxxxxxxxxxxxxxx' %}".to_owned() + &"{% assign a = a | append: a %}".repeat(60) + "{{ a }}";
    let arrays = "{% assign a = 'x,y' | split: ',' %}".to_owned()
        + &"{% assign a = a | concat: a %}".repeat(60)
        + "{{ a | jsonify }}";
    let replacing =
        "{% assign a = 'a' %}".to_owned() + &"{% assign a = a | replace: 'a', 'aaaaaaaaaaaaaaaaaaaa' %}".repeat(40);
    for (template, limit) in [
        (
            "{% for i in (1..90000) %}{% for j in (1..90000) %}x{% endfor %}{% endfor %} {{ page.n }}".to_owned(),
            "steps",
        ),
        ("{% for i in (1..999999999999) %}x{% endfor %}".to_owned(), "range"),
        ("{% include loop.html %}".to_owned(), "include"),
        (doubling, "output"),
        (arrays, "output"),
        (replacing, "output"),
        ("{% if true %}".repeat(5_000), "nesting"),
    ] {
        let rendered = render(&template, &context());
        assert!(
            rendered.unknown.iter().any(|u| u.kind == Kind::Limit && u.name == limit),
            "{limit}: {:?}",
            rendered.unknown
        );
        assert!(rendered.text.len() <= template.len() * 5 + 1_000_000);
    }
    let kept = rendered("{{ page.n }}{% for i in (1..90000) %}{{ i }}{{ i }}{% endfor %}{{ page.n }}");
    assert_eq!(kept, "7{% for i in (1..90000) %}{{ i }}{{ i }}{% endfor %}{{ page.n }}");
}

#[test]
fn long_rows_of_strays_are_read_in_one_go() {
    for piece in ["{{", "{%", "{{ ' ", "{% raw %}", "{% comment %}", "{% if a %}", "{{ a[b[", "{%raw"] {
        let text = piece.repeat(100_000);
        let _ = render(&(text.clone() + "}}"), &context());
        let _ = render(&(text + "%}"), &context());
    }
}

#[test]
fn deep_brackets_do_not_exhaust_the_stack() {
    rendered(&format!("{{{{ {} }}}}", "a[".repeat(50_000)));
    rendered(&format!("{{{{ {} }}}}", "(".repeat(50_000)));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_or_grow_without_bound(text in "(\\{\\{|\\}\\}|\\{%-?|%\\}|-|if |for |in |a|'|\"| |\\||raw|end|endif|endfor|\\(1\\.\\.9\\)|:|,|é|\n|\\[|\\]|case |when |else|highlight |capture |=|assign |include |cycle ){0,60}") {
        let result = render(&text, &context());
        prop_assert!(result.text.len() <= text.len() * 5 + 1_000_000);
    }

    #[test]
    fn anything_at_all_is_read(text in any::<String>()) {
        let _ = render(&format!("{{{{{text}}}}}{{%{text}%}}"), &context());
    }
}
