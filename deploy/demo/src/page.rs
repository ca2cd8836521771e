//! The staff's pages as a program reads them: a form with what the page has put into it, the facts that
//! a page lists, and what it says.

/// The fields of the form of `page` that goes to `action`, with `typed` filled in as a browser would send
/// them; of several such forms the one whose hidden fields are what was typed.
pub fn form(page: &str, action: &str, typed: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
    let target = format!("action=\"{action}\"");
    let mut forms = page.split("<form ").skip(1).filter_map(|rest| {
        let (head, body) = rest.split_once("</form>")?.0.split_once('>')?;
        head.contains(&target).then(|| inputs(body))
    });
    forms.find_map(|inputs| {
        let other = |(name, value): &(&str, &str)| {
            inputs.iter().any(|it| it.is_hidden && it.name == *name && it.value != *value)
        };
        if typed.iter().any(other) {
            return None;
        }
        let kept = inputs.into_iter().filter(|it| typed.iter().all(|(name, _)| *name != it.name));
        let kept = kept.map(|it| (it.name, it.value));
        let typed = typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Some(kept.chain(typed).collect())
    })
}

struct Input {
    name: String,
    value: String,
    is_hidden: bool,
}

/// What a form's inputs hold before anybody types: of choices, those that are made.
fn inputs(form: &str) -> Vec<Input> {
    let tags = form.split("<input ").skip(1).filter_map(|rest| Some(rest.split_once('>')?.0));
    tags.filter_map(|tag| {
        let kind = attribute(tag, "type").unwrap_or_default();
        let is_choice = kind == "radio" || kind == "checkbox";
        if is_choice && !tag.split(' ').any(|word| word == "checked") {
            return None;
        }
        let value = attribute(tag, "value").unwrap_or_default();
        Some(Input { name: attribute(tag, "name")?, value, is_hidden: kind == "hidden" })
    })
    .collect()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = format!(" {name}=\"");
    let tag = format!(" {tag}");
    let (_, rest) = tag.split_once(&start)?;
    Some(plain(rest.split_once('"')?.0))
}

/// Names and values of everything that the page lists.
pub fn facts(page: &str) -> Vec<(String, String)> {
    let rows = page.split("<dt>").skip(1).filter_map(|row| {
        let (name, rest) = row.split_once("</dt>")?;
        let (_, value) = rest.split_once("<dd>")?;
        Some((plain(name), plain(value.split_once("</dd>")?.0)))
    });
    rows.collect()
}

/// The addresses that the page leads to.
pub fn links(page: &str) -> Vec<String> {
    let rest = page.split(" href=\"").skip(1);
    rest.filter_map(|rest| Some(plain(rest.split_once('"')?.0))).collect()
}

/// What stands on the page below its head.
pub fn words(page: &str) -> String {
    let (_, main) = page.split_once("<main").unwrap_or(("", page));
    plain(main.split_once('>').map_or(main, |(_, main)| main))
}

/// Text without its marks.
fn plain(html: &str) -> String {
    let mut text = String::new();
    for (n, part) in html.split('<').enumerate() {
        let shown = if n == 0 { Some(part) } else { part.split_once('>').map(|(_, shown)| shown) };
        text.push_str(shown.unwrap_or_default());
        text.push(' ');
    }
    for (mark, sign) in
        [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")]
    {
        text = text.replace(mark, sign);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<main id="m"><dl><div><dt>Mức phạt</dt><dd><b>5</b> đ</dd></div></dl>
        <form method="post" action="/a"><input type="hidden" name="step" value="propose">
        <input type="radio" name="who" value="one" required checked> <input type="radio" name="who" value="two">
        <input name="name" maxlength="300" value="A &#38; B"><input name="note"></form>
        <form method="post" action="/a"><input type="hidden" name="step" value="sign"></form></main>"#;

    #[test]
    fn a_form_is_sent_as_the_page_has_it() {
        let sent = |typed: &[(&str, &str)]| {
            let fields = form(PAGE, "/a", typed)?;
            Some(fields.iter().map(|(a, b)| format!("{a}={b}")).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(sent(&[("note", "x")]).unwrap(), "step=propose who=one name=A & B note=x");
        assert_eq!(sent(&[("step", "sign")]).unwrap(), "step=sign");
        assert_eq!(sent(&[("step", "annul")]), None);
        assert!(form(PAGE, "/b", &[]).is_none());
    }

    #[test]
    fn facts_and_words_are_read_without_marks() {
        assert_eq!(facts(PAGE), [("Mức phạt".to_owned(), "5 đ".to_owned())]);
        assert!(words(PAGE).starts_with("Mức phạt 5 đ"));
    }
}
