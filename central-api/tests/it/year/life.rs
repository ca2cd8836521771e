//! A life as the tables tell it.

use serde::Deserialize;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

use central_api::law::VIETNAM;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Life {
    pub what: String,
    /// The camera's act, `car` or `motorbike`, and when, in Vietnam.
    pub act: String,
    pub vehicle: String,
    pub at: String,
    /// Measured and allowed, km/h.
    pub speed: Option<[f64; 2]>,
    /// Whom the minutes name, if not an adult driver: minor, child, organisation, or owner.
    pub payer: Option<String>,
    /// What the registry says, if not a person: organisation, unknown, or a standing of the vehicle.
    pub registry: Option<String>,
    pub steps: Vec<String>,
    pub law: Option<Law>,
    pub terms: Option<Terms>,
    pub decision: Option<Amount>,
    #[serde(default)]
    pub money: Money,
    #[serde(default)]
    pub warned: Warned,
    pub cleared: Option<String>,
    pub closed: Option<String>,
    /// States of case, decision and claim.
    pub end: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Law {
    pub place: String,
    pub decree: String,
    pub fine: [i64; 2],
    pub points: u32,
}

/// Last days.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    pub notice: String,
    pub limitation: String,
    pub no_show: Option<String>,
    pub explain: Option<String>,
    pub decide: Option<String>,
    pub pay: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    pub amount: i64,
    pub points: u32,
}

/// VND over all claims of the case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    pub paid: i64,
    pub surcharge: i64,
    pub refunded: i64,
}

/// Days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warned {
    pub no_show: Option<String>,
    pub unpaid: Option<String>,
}

/// What somebody does, or tries to.
#[derive(Debug, Clone)]
pub struct Step {
    pub verb: String,
    pub day: Date,
    pub more: Vec<String>,
    pub refused: bool,
}

impl Life {
    pub fn acted(&self) -> OffsetDateTime {
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]");
        PrimitiveDateTime::parse(&self.at, format).unwrap().assume_offset(VIETNAM)
    }

    pub fn is_car(&self) -> bool {
        self.vehicle == "car"
    }

    pub fn is_organisation(&self) -> bool {
        [&self.payer, &self.registry].into_iter().any(|it| it.as_deref() == Some("organisation"))
    }

    pub fn steps(&self) -> Vec<Step> {
        let step = |text: &String| {
            let mut words = text.split(' ').map(str::to_owned);
            let verb = words.next().unwrap();
            let day = day(&words.next().unwrap());
            let refused = verb.starts_with('!');
            Step { verb: verb.trim_start_matches('!').into(), day, more: words.collect(), refused }
        };
        self.steps.iter().map(step).collect()
    }
}

impl Step {
    /// The value of `name=value` among its words.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.more.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    pub fn says(&self, word: &str) -> bool {
        self.more.iter().any(|it| it == word)
    }
}

pub fn day(text: &str) -> Date {
    Date::parse(text, format_description!("[year]-[month]-[day]")).unwrap()
}

/// Every table's lives, in their order.
pub fn tables() -> Vec<Life> {
    #[derive(Deserialize)]
    struct Table {
        life: Vec<Life>,
    }
    [
        include_str!("paid.toml"),
        include_str!("payers.toml"),
        include_str!("money.toml"),
        include_str!("undone.toml"),
    ]
    .into_iter()
    .flat_map(|text| toml::from_str::<Table>(text).unwrap().life)
    .collect()
}
