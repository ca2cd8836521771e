//! Whom a clerk names: a person or an organisation, as it may stand on a document.

use crate::registry::{Owner, OwnerKind};

/// Longest name, number or address, in characters.
pub const LONGEST: usize = 300;

/// What was typed, tidied; or the field that is wrong.
pub fn checked(owner: Owner) -> Result<Owner, &'static str> {
    let fits = |text: &str, least: usize| {
        let length = text.chars().count();
        (least..=LONGEST).contains(&length) && !text.chars().any(char::is_control)
    };
    let Owner { kind, name, id_number, address } = owner;
    let (name, id_number, address) = (name.trim(), id_number.trim(), address.trim());
    for (field, text, least) in
        [("name", name, 1), ("address", address, 1), ("id_number", id_number, 0)]
    {
        if !fits(text, least) {
            return Err(field);
        }
    }
    // An organisation is known by its number, a person may have none on record.
    if kind == OwnerKind::Organisation && id_number.is_empty() {
        return Err("id_number");
    }
    Ok(Owner { kind, name: name.into(), id_number: id_number.into(), address: address.into() })
}
