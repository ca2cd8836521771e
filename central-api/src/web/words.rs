//! The texts of the pages: one table a language, the same keys in each.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Languages of the pages, Vietnamese first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    #[default]
    Vi,
    En,
}

impl Lang {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }

    pub const fn other(self) -> Self {
        match self {
            Self::Vi => Self::En,
            Self::En => Self::Vi,
        }
    }

    /// Anything but `en` is Vietnamese.
    pub fn parse(code: &str) -> Self {
        if code == "en" { Self::En } else { Self::Vi }
    }

    pub fn words(self) -> &'static Words {
        match self {
            Self::Vi => &VI,
            Self::En => &EN,
        }
    }
}

/// The texts of one language by `section.key`.
#[derive(Debug)]
pub struct Words {
    texts: BTreeMap<String, String>,
}

static VI: LazyLock<Words> = LazyLock::new(|| Words::read(include_str!("../../web/words/vi.toml")));
static EN: LazyLock<Words> = LazyLock::new(|| Words::read(include_str!("../../web/words/en.toml")));

impl Words {
    fn read(text: &str) -> Self {
        // The files are embedded and a test reads them: a broken one never ships.
        let sections: BTreeMap<String, BTreeMap<String, String>> =
            toml::from_str(text).unwrap_or_default();
        let texts = sections
            .into_iter()
            .flat_map(|(section, keys)| {
                keys.into_iter().map(move |(key, text)| (format!("{section}.{key}"), text))
            })
            .collect();
        Self { texts }
    }

    /// The text of `key`; an unknown key shows itself.
    pub fn t<'a>(&'a self, key: &'a str) -> &'a str {
        self.texts.get(key).map_or(key, String::as_str)
    }

    /// The text of `section.name`, for names of enum values.
    pub fn named(&self, section: &str, name: &str) -> String {
        self.t(&format!("{section}.{name}")).to_owned()
    }

    /// The text of `key` with `{name}` replaced.
    pub fn with(&self, key: &str, name: &str, value: impl std::fmt::Display) -> String {
        self.t(key).replace(&format!("{{{name}}}"), &value.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_keys() {
        assert!(VI.texts.len() > 200);
        let keys = |words: &'static Words| words.texts.keys().collect::<Vec<_>>();
        assert_eq!(keys(&VI), keys(&EN));
    }

    #[test]
    fn every_key_a_template_names_exists() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/web/templates");
        let mut found = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            for call in [".t(\"", ".with(\""] {
                for rest in text.split(call).skip(1) {
                    let key = rest.split('"').next().unwrap();
                    assert!(VI.texts.contains_key(key), "{}: {key}", path.display());
                    found += 1;
                }
            }
        }
        assert!(found > 80, "{found}");
    }

    #[test]
    fn vietnamese_is_composed() {
        // Decomposed marks look the same and are found by no search.
        for (key, text) in &VI.texts {
            let combining = text.chars().any(|c| ('\u{300}'..='\u{36f}').contains(&c));
            assert!(!combining, "{key} holds a combining mark");
        }
    }
}
