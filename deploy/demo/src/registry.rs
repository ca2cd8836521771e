//! Registration data for the vehicles of a synthetic recording. The numbers are those that the road
//! world gave out; every name, number of identity and address beside them is invented here.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::central::Central;
use crate::json;
use crate::officer::text;
use crate::process;
use crate::site::Site;

const HEADER: &str =
    "bien_so;loai_xe;mau_bien;nhan_hieu;mau_son;loai_chu;ten_chu;so_dinh_danh;dia_chi;tinh_trang";
/// The one owner who is no person: of the first lorry or bus.
const COMPANY: &str = "Công ty TNHH Vận tải Mẫu";
const FAMILIES: [&str; 7] = ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng"];
const MIDDLES: [&str; 3] = ["Thị", "Văn", "Ngọc"];
const GIVEN: [&str; 11] =
    ["Mẫu", "An", "Bình", "Giang", "Hà", "Hải", "Khánh", "Linh", "Tâm", "Thanh", "Xuân"];

const VEHICLES: [(&str, &str); 4] =
    [("car", "ô tô con"), ("bus", "ô tô khách"), ("truck", "ô tô tải"), ("motorbike", "xe máy")];
const COLOURS: [(&str, &str); 4] =
    [("white", "trắng"), ("yellow", "vàng"), ("blue", "xanh"), ("red", "đỏ")];

/// A vehicle and who it belongs to.
struct Line {
    plate: String,
    text: String,
    owner: String,
}

/// Takes the vehicles of a recording into the central's registry; gives how many. Those of the state, of
/// the forces and of abroad are not in it, as in life: a clerk finds their owners.
pub fn import(site: &Site, central: &Central, truth: &Path) -> Result<usize> {
    let lines = lines(&json::read(truth)?)?;
    let rows: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    take_in(site, central, &rows)?;
    Ok(lines.len())
}

/// Takes the vehicles of cars' cases in, each somebody's.
pub fn import_cases(site: &Site, central: &Central, cases: &[Value]) -> Result<()> {
    let mut rows = BTreeMap::new();
    for (n, case) in cases.iter().enumerate() {
        let plate = text(case, "/plate")?;
        let colour = named(&text(case, "/plate_colour")?, &COLOURS)?;
        let (name, address) = (person(n), address(n));
        let row = format!("{plate};ô tô con;{colour};;;cá nhân;{name};000{:09};{address};", n + 1);
        rows.insert(plate, row);
    }
    take_in(site, central, &rows.values().map(String::as_str).collect::<Vec<_>>())
}

fn take_in(site: &Site, central: &Central, rows: &[&str]) -> Result<()> {
    let file = site.dir.join("registry.csv");
    std::fs::write(&file, format!("{HEADER}\n{}\n", rows.join("\n")))
        .with_context(|| format!("write {}", file.display()))?;
    let mut command = central.command(site, &["admin", "import-registry"])?;
    command.arg("--file").arg(&file);
    process::finish(command).map(drop)
}

/// The plates of a recording that the registry knows.
pub fn plates(truth: &Path) -> Result<Vec<String>> {
    Ok(lines(&json::read(truth)?)?.into_iter().map(|line| line.plate).collect())
}

/// Who is invented for a recording.
pub fn owners(truth: &Path) -> Result<Vec<String>> {
    Ok(lines(&json::read(truth)?)?.into_iter().map(|line| line.owner).collect())
}

fn lines(truth: &Value) -> Result<Vec<Line>> {
    let vehicles = truth["vehicles"].as_array().context("vehicles in the truth")?;
    let mut found = BTreeMap::new();
    let mut company = false;
    for (n, vehicle) in vehicles.iter().enumerate() {
        let class = text(vehicle, "/plate_class")?;
        if !["car_civil", "motorbike_old", "motorbike_new"].contains(&class.as_str()) {
            continue;
        }
        let plate = text(vehicle, "/plate")?;
        let kind = text(vehicle, "/class")?;
        let is_company = !company && ["truck", "bus"].contains(&kind.as_str());
        company |= is_company;
        let (who, owner) = match is_company {
            true => ("tổ chức", COMPANY.to_owned()),
            false => ("cá nhân", person(n)),
        };
        // Of a province that there is not: nobody's.
        let identity = format!("000{:09}", n + 1);
        let line = [
            text(vehicle, "/plate_printed")?,
            named(&kind, &VEHICLES)?.to_owned(),
            named(&text(vehicle, "/plate_colour")?, &COLOURS)?.to_owned(),
            String::new(),
            String::new(),
            who.to_owned(),
            owner.clone(),
            identity,
            address(n),
            String::new(),
        ];
        found.entry(plate.clone()).or_insert(Line { plate, text: line.join(";"), owner });
    }
    Ok(found.into_values().collect())
}

fn named(word: &str, words: &[(&str, &'static str)]) -> Result<&'static str> {
    let found = words.iter().find(|(known, _)| *known == word);
    Ok(found.with_context(|| format!("the registry has no word for {word}"))?.1)
}

fn address(n: usize) -> String {
    format!("Số {} Đường Mẫu, Phường Mẫu, Thành phố Mẫu", n + 1)
}

fn person(n: usize) -> String {
    let of = |names: &[&'static str]| names[n % names.len()];
    format!("{} {} {}", of(&FAMILIES), of(&MIDDLES), of(&GIVEN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_civil_vehicle_has_one_line_and_one_owner_is_a_company() {
        let vehicle = |plate: &str, class: &str, of: &str| {
            serde_json::json!({
                "plate": plate, "plate_printed": plate, "plate_class": class,
                "plate_colour": "white", "class": of,
            })
        };
        let vehicles = [
            vehicle("30A12345", "car_civil", "car"),
            vehicle("30A12345", "car_civil", "car"),
            vehicle("80A00001", "car_state", "car"),
            vehicle("29C11111", "car_civil", "truck"),
            vehicle("29C22222", "car_civil", "truck"),
        ];
        let lines = lines(&serde_json::json!({ "vehicles": vehicles })).unwrap();
        let plates: Vec<_> = lines.iter().map(|line| line.plate.as_str()).collect();
        assert_eq!(plates, ["29C11111", "29C22222", "30A12345"]);
        assert_eq!(lines.iter().filter(|line| line.owner == COMPANY).count(), 1);
        assert!(lines.iter().all(|line| line.text.matches(';').count() == 9));
    }
}
