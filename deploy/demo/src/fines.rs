//! From the notice to the money, held against the law: a motorbike's fine paid at once, a car's after its
//! driver was heard; right article, amount, points and numbers on page and paper, and settled.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::browser::Browser;
use crate::owner;
use crate::proceedings::{Fine, Unit};
use crate::process;
use crate::stages::Stages;
use crate::story::{self, red_light};
use crate::system::System;

/// What running a red light costs, typed from NĐ 168/2024 apart from the law files: who has nothing for or
/// against him pays the middle of the bracket.
struct Cost {
    article: &'static str,
    amount: i64,
    words: &'static str,
    points: u32,
}

const MOTORBIKE: Cost = Cost {
    article: "điểm c khoản 7 Điều 7",
    amount: 5_000_000,
    words: "5.000.000 đồng (bằng chữ: năm triệu đồng)",
    points: 4,
};
const CAR: Cost = Cost {
    article: "điểm b khoản 9 Điều 6",
    amount: 19_000_000,
    words: "19.000.000 đồng (bằng chữ: mười chín triệu đồng)",
    points: 4,
};

/// `notified` is a motorbike's case of the plate `plate`, with its notice.
pub async fn walk(
    system: &System,
    notified: &str,
    plate: &str,
    known: &[String],
    stages: &Stages,
) -> Result<()> {
    let unit = Unit::sign_in(&system.site, &system.central).await?;
    stages
        .run("notice in a batch of letters", async {
            let (batch, bytes) = unit.post_batch().await?;
            Ok(((), format!("{batch}, PDF of {bytes} bytes")))
        })
        .await?;
    let paid = stages
        .run("minutes, decision, signature", async {
            unit.draw_minutes(notified, "Tôi đã vượt đèn đỏ.").await?;
            unit.propose(notified).await?;
            let fine = unit.sign(notified).await?;
            let told = held(&unit, &fine, 1, &MOTORBIKE).await?;
            Ok((fine, told))
        })
        .await?;
    let (car, explained) = stages
        .run("minutes, explanation, signature", async {
            let case = unit.ready(|case| red_light(case, known, "car")).await?;
            let case = case.context("no car has run the red light in the synthetic junction")?;
            story::explain(&unit, &case).await?;
            ensure!(unit.fine(&case).await?.mentions("Chờ ký"), "the proposal does not wait");
            let fine = unit.sign(&case).await?;
            let said = fine.says("Nội dung giải trình")?;
            ensure!(said.contains("nhường đường"), "the page has as explanation: {said}");
            let told = held(&unit, &fine, 2, &CAR).await?;
            Ok(((case, fine), told))
        })
        .await?;
    stages
        .run("statement in, both fines settled", async {
            let told = unit.pay(&[&paid, &explained])?;
            ensure!(
                told.starts_with("2 payments put on their claims (2 settled), 0 new"),
                "{told}"
            );
            for (case, cost) in [(notified, &MOTORBIKE), (car.as_str(), &CAR)] {
                let fine = unit.fine(case).await?;
                let money = [fine.money("Đã nộp")?, fine.money("Còn phải nộp")?];
                ensure!(money == [cost.amount, 0], "paid and open are {money:?}");
                ensure!(fine.mentions("Đã nộp đủ"), "the case is not called settled");
            }
            Ok(((), told))
        })
        .await?;
    stages
        .run("owner sees it settled", async {
            let browser = Browser::open(&system.site, "owner").await?;
            let fields = owner::look_up(&browser, &system.site, plate, true).await?;
            browser.close().await?;
            let settled = fields.iter().any(|(_, value)| value == "Đã xử phạt");
            ensure!(settled, "the look-up says {fields:?}");
            Ok(((), "Đã xử phạt".to_owned()))
        })
        .await
}

/// Holds page and papers of a decision, the unit's `nth`, against what the act costs.
async fn held(unit: &Unit, fine: &Fine, nth: u32, cost: &Cost) -> Result<String> {
    let number = fine.says("Số quyết định")?;
    let Cost { article, amount, words, points } = cost;
    ensure!(number.starts_with(&format!("{nth:06}/QĐ-XPHC-")), "the decision's number is {number}");
    let minutes = format!("Biên bản vi phạm hành chính số {nth:06}/BB-VPHC-");
    ensure!(fine.mentions(&minutes), "the page lacks {minutes}");
    let found = (fine.money("Mức phạt tiền")?, fine.money("Trừ điểm giấy phép lái xe")?);
    ensure!(found == (*amount, i64::from(*points)), "{found:?} instead of {amount}, {points}");
    let provision = fine.says("Căn cứ")?;
    ensure!(provision.contains(article), "the page founds it on {provision}, not on {article}");
    let decision = printed(&unit.paper(fine, "decision").await?)?;
    let off = format!("Trừ điểm giấy phép lái xe: {points:02} điểm");
    for words in [number, minutes.as_str(), *article, *words, off.as_str()] {
        ensure!(decision.contains(words), "the printed decision lacks {words}:\n{decision}");
    }
    let notice = printed(&unit.paper(fine, "points").await?)?;
    let off = format!("{points:02} điểm");
    ensure!(notice.contains(&off), "the notice about points lacks {off}:\n{notice}");
    Ok(format!("{number}, {article}, {amount} đ, {points} points"))
}

/// The text of a PDF, a blank between any two words.
fn printed(pdf: &[u8]) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("paper.pdf");
    std::fs::write(&file, pdf)?;
    let mut command = Command::new("pdftotext");
    command.arg("-layout").arg(&file).arg("-");
    let text = process::finish(command).context("Debian's package poppler-utils provides it")?;
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}
