//! Registration data from a CSV file: UTF-8 with a header, comma or semicolon. All of it comes in,
//! or none: a registry with holes would say of an owner that there is none.

use std::collections::HashMap;
use std::io::Read;

use contract::plate::PlateColour;
use contract::{Digest, VehicleClass};
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use super::{Details, OwnerKind, Sex, Status};
use crate::audit::{self, Entry};
use crate::case::{name_of, plate};
use crate::csv_file::{self, OpenError};
use crate::law::VIETNAM;
use crate::store::{Store, StoreError, Tx, to_ms};

/// Longest text of a field, in characters.
pub(super) const LONGEST: usize = 300;
/// Mistakes that are named before the rest is only counted.
const MOST_NAMED: usize = 20;
/// Rows a transaction.
const ROWS: usize = 500;

/// The columns and what stands in them, as the message for a missing one says.
const COLUMNS: [(&str, &str); 10] = [
    ("bien_so", "29A-123.45"),
    ("loai_xe", "ô tô con, ô tô khách, ô tô tải or xe máy"),
    ("mau_bien", "trắng, vàng, xanh, đỏ, or empty"),
    ("nhan_hieu", "make"),
    ("mau_son", "paint"),
    ("loai_chu", "cá nhân or tổ chức"),
    ("ten_chu", "owner's name"),
    ("so_dinh_danh", "identity or enterprise number, or empty"),
    ("dia_chi", "address"),
    ("tinh_trang", "empty, đã bán, mất cắp or thu hồi"),
];

/// Columns that a file may have, by the fields of [`Details`].
const OPTIONAL: [&str; 7] =
    ["gioi_tinh", "quoc_tich", "nghe_nghiep", "ngay_cap", "noi_cap", "nguoi_dai_dien", "chuc_danh"];
/// What they are to [`Details::checked`].
const DETAILS: [&str; 7] = [
    "sex",
    "nationality",
    "occupation",
    "id_issued_on",
    "id_issued_by",
    "representative",
    "representative_title",
];

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("the file is no CSV in UTF-8: {0}")]
    Csv(#[from] csv::Error),
    #[error("the header lacks {}", .0.join(", "))]
    Columns(Vec<String>),
    /// Nothing was taken in.
    #[error("nothing was imported, {count} lines are wrong:\n{}", .named.join("\n"))]
    Lines { count: usize, named: Vec<String> },
    #[error("the file has no line under its header")]
    Empty,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    pub vehicles: usize,
    /// Vehicles of before that are not in the file, and were dropped.
    pub dropped: u64,
}

struct Line {
    plate: String,
    vehicle: VehicleClass,
    colour: Option<PlateColour>,
    make: String,
    paint: String,
    kind: OwnerKind,
    name: String,
    id_number: String,
    address: String,
    status: Status,
    details: Details,
}

/// Takes in a whole file. With `replace` it is the whole registry, else it adds to it; a vehicle
/// that is there already is written anew. Every line is read before the first is written; they are
/// written in short transactions, so that nobody waits for a million of them. Whoever breaks it off
/// imports the same file again.
pub async fn import(
    store: &Store,
    mut file: impl Read,
    replace: bool,
    now: OffsetDateTime,
) -> Result<Imported, ImportError> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(csv::Error::from)?;
    let today = now.to_offset(VIETNAM).date();
    let vehicles = check(&bytes, today)?;
    let (mut reader, places) = open(&bytes)?;
    let mut records = reader.records();
    loop {
        let mut tx = store.begin().await?;
        let mut written = 0;
        for record in records.by_ref().take(ROWS) {
            // Checked above: nothing of it is wrong.
            if let Ok(line) = places.line(&record?, today) {
                write(&mut tx, &line, now).await?;
            }
            written += 1;
        }
        tx.commit().await.map_err(StoreError::from)?;
        if written < ROWS {
            break;
        }
    }
    let mut tx = store.begin().await?;
    let mut dropped = 0;
    if replace {
        dropped = sqlx::query("DELETE FROM registrations WHERE imported_at <> $1")
            .bind(to_ms(now))
            .execute(&mut *tx)
            .await
            .map_err(StoreError::from)?
            .rows_affected();
    }
    let entry = Entry {
        at: now,
        actor: "system",
        action: "registry.imported",
        subject_kind: "registry",
        subject_id: "file",
        detail: serde_json::json!({
            "sha256": Digest::of(&bytes).to_string(),
            "vehicles": vehicles,
            "dropped": dropped,
            "replace": replace,
        }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(Imported { vehicles, dropped })
}

async fn write(tx: &mut Tx<'_>, line: &Line, now: OffsetDateTime) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO registrations (plate, two_wheeled, vehicle, plate_colour, make, paint,
             kind, name, id_number, address, status, imported_at, details)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (plate, two_wheeled) DO UPDATE SET vehicle = excluded.vehicle,
             plate_colour = excluded.plate_colour, make = excluded.make,
             paint = excluded.paint, kind = excluded.kind, name = excluded.name,
             id_number = excluded.id_number, address = excluded.address,
             status = excluded.status, imported_at = excluded.imported_at,
             details = excluded.details",
    )
    .bind(line.plate.clone())
    .bind(i64::from(line.vehicle.is_two_wheeled()))
    .bind(line.vehicle.name())
    .bind(line.colour.map(|colour| name_of(&colour)))
    .bind(line.make.clone())
    .bind(line.paint.clone())
    .bind(name_of(&line.kind))
    .bind(line.name.clone())
    .bind(line.id_number.clone())
    .bind(line.address.clone())
    .bind(name_of(&line.status))
    .bind(to_ms(now))
    // Plain fields with string keys: serialisation cannot fail.
    .bind(
        (!line.details.is_empty())
            .then(|| serde_json::to_string(&line.details).unwrap_or_default()),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Where in a record each of [`COLUMNS`] stands, and those of [`OPTIONAL`] that are there.
struct Places([usize; COLUMNS.len()], [Option<usize>; OPTIONAL.len()]);

impl Places {
    fn line(&self, record: &csv::StringRecord, today: Date) -> Result<Line, String> {
        let field = |place: usize| record.get(place).unwrap_or_default();
        let mut line = line(self.0.map(field))?;
        line.details = details(self.1.map(|place| place.map_or("", field)), line.kind, today)?;
        Ok(line)
    }
}

fn open(bytes: &[u8]) -> Result<(csv::Reader<&[u8]>, Places), ImportError> {
    let (mut reader, places) = csv_file::open(bytes, &COLUMNS).map_err(|error| match error {
        OpenError::Csv(error) => ImportError::Csv(error),
        OpenError::Columns(lacking) => ImportError::Columns(lacking),
    })?;
    let more = csv_file::optional(&mut reader, OPTIONAL)?;
    Ok((reader, Places(places, more)))
}

/// What a line says by the fields of [`OPTIONAL`].
fn details(fields: [&str; 7], kind: OwnerKind, today: Date) -> Result<Details, String> {
    let [sex, nationality, occupation, day, by, representative, title] = fields;
    let sex = match sex.to_lowercase().as_str() {
        "" => None,
        "nam" => Some(Sex::Male),
        "nữ" => Some(Sex::Female),
        _ => return Err("gioi_tinh must be nam, nữ or empty".into()),
    };
    let format = format_description!("[day]/[month]/[year]");
    let id_issued_on = match day {
        "" => None,
        text => Some(
            Date::parse(text, format)
                .map_err(|_| "ngay_cap must be a day like 31/12/2021, or empty".to_owned())?,
        ),
    };
    let details = Details {
        sex,
        nationality: nationality.into(),
        occupation: occupation.into(),
        id_issued_on,
        id_issued_by: by.into(),
        representative: representative.into(),
        representative_title: title.into(),
    };
    details.checked(kind, today).map_err(|field| {
        let column = DETAILS.iter().zip(OPTIONAL).find(|(name, _)| **name == field);
        let column = column.map_or(field, |(_, column)| column);
        format!("{column} does not fit such an owner, or is too long")
    })
}

/// Reads every line; how many there are, or what is wrong with which.
fn check(bytes: &[u8], today: Date) -> Result<usize, ImportError> {
    let (mut reader, places) = open(bytes)?;
    let (mut vehicles, mut wrong, mut named) = (0, 0, Vec::new());
    let mut seen = HashMap::new();
    for record in reader.records() {
        let record = record?;
        let at = csv_file::line(bytes, record.position());
        let line = places.line(&record, today).and_then(|line| {
            match seen.insert((line.plate, line.vehicle.is_two_wheeled()), at) {
                Some(before) => Err(format!("bien_so is that of line {before}, too")),
                None => Ok(()),
            }
        });
        match line {
            Ok(()) => vehicles += 1,
            Err(problem) => {
                wrong += 1;
                if named.len() < MOST_NAMED {
                    named.push(format!("line {at}: {problem}"));
                }
            }
        }
    }
    match (wrong, vehicles) {
        (0, 0) => Err(ImportError::Empty),
        (0, vehicles) => Ok(vehicles),
        (count, _) => Err(ImportError::Lines { count, named }),
    }
}

/// A line by the fields of [`COLUMNS`]. What is wrong is said without the field's content: it may
/// be somebody's name.
fn line(fields: [&str; 10]) -> Result<Line, String> {
    for ((name, _), field) in COLUMNS.iter().zip(fields) {
        if field.chars().count() > LONGEST || field.chars().any(char::is_control) {
            return Err(format!("{name} is longer than {LONGEST} characters or has more lines"));
        }
    }
    let [number, vehicle, colour, make, paint, kind, name, id_number, address, status] = fields;
    let one_of = |column: &str| {
        let what = COLUMNS.iter().find(|(name, _)| *name == column).map_or("", |(_, what)| what);
        format!("{column} must be {what}")
    };
    let lower = |text: &str| text.to_lowercase();
    let vehicle = match lower(vehicle).as_str() {
        "ô tô con" => VehicleClass::Car,
        "ô tô khách" => VehicleClass::Bus,
        "ô tô tải" => VehicleClass::Truck,
        "xe máy" => VehicleClass::Motorbike,
        _ => return Err(one_of("loai_xe")),
    };
    let colour = match lower(colour).as_str() {
        "" => None,
        "trắng" => Some(PlateColour::White),
        "vàng" => Some(PlateColour::Yellow),
        "xanh" => Some(PlateColour::Blue),
        "đỏ" => Some(PlateColour::Red),
        _ => return Err(one_of("mau_bien")),
    };
    let kind = match lower(kind).as_str() {
        "cá nhân" => OwnerKind::Person,
        "tổ chức" => OwnerKind::Organisation,
        _ => return Err(one_of("loai_chu")),
    };
    let status = match lower(status).as_str() {
        "" => Status::Valid,
        "đã bán" => Status::Sold,
        "mất cắp" => Status::Stolen,
        "thu hồi" => Status::Withdrawn,
        _ => return Err(one_of("tinh_trang")),
    };
    let number = plate::read(number, vehicle, colour)
        .ok_or_else(|| "bien_so is no number that such a vehicle carries".to_owned())?;
    for (column, field) in [("ten_chu", name), ("dia_chi", address)] {
        if field.is_empty() {
            return Err(format!("{column} is empty"));
        }
    }
    Ok(Line {
        plate: number.text().to_owned(),
        vehicle,
        colour,
        make: make.to_owned(),
        paint: paint.to_owned(),
        kind,
        name: name.to_owned(),
        id_number: id_number.to_owned(),
        address: address.to_owned(),
        status,
        details: Details::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    const TODAY: Date = date!(2026 - 11 - 21);

    const HEADER: &str = "bien_so,loai_xe,mau_bien,nhan_hieu,mau_son,loai_chu,ten_chu,so_dinh_danh,dia_chi,tinh_trang";

    #[test]
    fn a_file_is_read_as_offices_write_it() {
        let text = format!(
            "\u{feff}{HEADER}\r\n30F-256.58,Ô tô con,Trắng,Toyota,Đen,Cá nhân,Trần Thị Mẫu,001200000001,\"1 Phố Mẫu, Hà Nội\",\r\n29-AA 123.45,xe máy,,Honda,,tổ chức,Công ty Mẫu,,2 Phố Mẫu,mất cắp\r\n"
        );
        assert_eq!(check(text.as_bytes(), TODAY).unwrap(), 2);
        let (mut reader, places) = open(text.as_bytes()).unwrap();
        let records: Vec<_> = reader.records().map(Result::unwrap).collect();
        let lines: Vec<_> = records.iter().map(|it| places.line(it, TODAY).unwrap()).collect();
        assert_eq!(lines[0].plate, "30F25658");
        assert_eq!(lines[0].address, "1 Phố Mẫu, Hà Nội");
        assert_eq!((lines[1].kind, lines[1].status), (OwnerKind::Organisation, Status::Stolen));
        let semicolons =
            check(text.replace("\"1 Phố Mẫu, Hà Nội\"", "1").replace(',', ";").as_bytes(), TODAY);
        assert_eq!(semicolons.unwrap(), 2);
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_column_and_never_by_its_content() {
        let good = "30F-256.58,ô tô con,,,,cá nhân,Trần Bí Mật,,1 Phố Kín,";
        for (line, expected) in [
            (good.replace("ô tô con", "xe hơi"), "line 3: loai_xe must be ô tô con"),
            (good.replace("ô tô con", "xe máy"), "line 3: bien_so is no number that such"),
            (good.replace("cá nhân", "ông"), "line 3: loai_chu must be"),
            (good.replace("Trần Bí Mật", ""), "line 3: ten_chu is empty"),
            (good.replace("1 Phố Kín", &"x".repeat(301)), "line 3: dia_chi is longer than 300"),
            (good.replace("30F-256.58", "30F25658"), "line 3: bien_so is that of line 2, too"),
            (format!("{good}lạ"), "line 3: tinh_trang must be empty, đã bán"),
        ] {
            let told = check(format!("{HEADER}\n{good}\n{line}\n").as_bytes(), TODAY)
                .unwrap_err()
                .to_string();
            assert!(told.contains(expected), "{told}");
            assert!(!told.contains("Bí Mật") && !told.contains("Kín"), "{told}");
        }
        let told = check("bien_so,ten_chu\n".as_bytes(), TODAY).unwrap_err().to_string();
        assert!(told.contains("dia_chi (address)") && !told.contains("bien_so"), "{told}");
        assert!(matches!(check(HEADER.as_bytes(), TODAY), Err(ImportError::Empty)));
        assert!(matches!(check(&b"bien_so\n\xff\xfe"[..], TODAY), Err(ImportError::Columns(_))));
    }

    #[test]
    fn what_the_forms_ask_beside_may_be_there() {
        let good = "30F-256.58,ô tô con,,,,cá nhân,Trần Thị Mẫu,,1 Phố Mẫu,";
        let read = |more: &str, line: &str| {
            let text = format!("{HEADER},Giới tính,ngay_cap,chuc_danh\n{good},{line}\n{more}");
            let (mut reader, places) = open(text.as_bytes()).unwrap();
            let record = reader.records().next().unwrap().unwrap();
            places.line(&record, TODAY).map(|line| line.details)
        };
        let details = read("", "Nữ,12/04/2021,").unwrap();
        assert_eq!(
            (details.sex, details.id_issued_on),
            (Some(Sex::Female), Some(date!(2021 - 04 - 12)))
        );
        assert!(read("", ",,").unwrap().is_empty());
        for (line, column) in
            [("bà,,", "gioi_tinh"), (",2021,", "ngay_cap"), (",,Giám đốc", "chuc_danh")]
        {
            assert!(read("", line).unwrap_err().starts_with(column), "{line}");
        }
    }
}
