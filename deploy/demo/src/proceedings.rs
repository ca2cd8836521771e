//! A case after the camera: notice, letter, minutes, explanation, decision, payment, each step by the
//! person whose it is, through the forms of the pages; statements come in by the administrator's command.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::{format_description, offset};

use crate::central::{ACCOUNT, Central};
use crate::officer::{Api, text};
use crate::page;
use crate::process;
use crate::site::Site;

/// How often is asked for what the central does by itself, and how long between.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(300);

/// The staff of a unit, all signed in.
#[derive(Debug)]
pub struct Unit {
    pub reviewer: Api,
    approver: Api,
    leader: Api,
    clerk: Api,
    site: Site,
    central: Central,
}

/// What the page of a case says of its fine.
#[derive(Debug)]
pub struct Fine {
    facts: BTreeMap<String, String>,
    page: String,
}

impl Unit {
    pub async fn sign_in(site: &Site, central: &Central) -> Result<Self> {
        Ok(Self {
            reviewer: Api::sign_in(site, &central.reviewer).await?,
            approver: Api::sign_in(site, &central.approver).await?,
            leader: Api::sign_in(site, &central.leader).await?,
            clerk: Api::sign_in(site, &central.clerk).await?,
            site: site.clone(),
            central: central.clone(),
        })
    }

    /// The first case that is `wanted` and that nothing keeps from a decision.
    pub async fn ready(&self, wanted: impl Fn(&Value) -> bool) -> Result<Option<String>> {
        for case in self.reviewer.cases().await? {
            if case["state"] != "received" || !case["plate"].is_string() || !wanted(&case) {
                continue;
            }
            let id = text(&case, "/id")?;
            let detail = self.reviewer.case(&id).await?;
            if detail["blockers"].as_array().is_some_and(Vec::is_empty) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// The first case whose limitation has passed.
    pub async fn expired(&self) -> Result<Option<String>> {
        let cases = self.reviewer.cases().await?;
        cases
            .iter()
            .find(|case| case["state"] == "expired")
            .map(|case| text(case, "/id"))
            .transpose()
    }

    /// Accepts and approves the case; the clerk names the owner where the registry leaves doubts. Gives
    /// the notice.
    pub async fn notify(&self, case: &str) -> Result<Vec<u8>> {
        self.reviewer.decide(case, "accept").await?;
        self.approver.decide(case, "approve").await?;
        let (page, action) = (path(case), format!("{}/chu-xe", path(case)));
        let note = ("note", "đối chiếu giấy đăng ký xe của chủ xe");
        let registered = [("who", "registered"), note];
        let other = [
            ("who", "other"),
            ("kind", "person"),
            ("name", "Đỗ Thị Mẫu"),
            ("address", "Số 1 Đường Mẫu, Phường Mẫu, Thành phố Mẫu"),
            note,
        ];
        for _ in 0..TRIES {
            if let Some(pdf) = self.approver.notice(case).await? {
                return Ok(pdf);
            }
            let asked = page::links(&self.clerk.page("/chu-xe").await?);
            if asked.iter().any(|link| link.starts_with(&page))
                && self.clerk.submit(&page, &action, &registered).await?.is_none()
            {
                self.clerk.submit(&page, &action, &other).await?;
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("case {case} has no notice after {TRIES} looks")
    }

    /// Prints the letters that wait; gives the page of the batch and the size of its letters.
    pub async fn post_batch(&self) -> Result<(String, usize)> {
        let batch = self.clerk.submit("/giao-nhan", "/giao-nhan/in", &[("most", "50")]).await?;
        let batch = batch.context("the desk of outgoing post offers no batch")?;
        for _ in 0..TRIES {
            if let Some(pdf) = self.clerk.paper(&format!("{batch}/thu.pdf")).await? {
                return Ok((batch, pdf.len()));
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("the letters of {batch} are not printed after {TRIES} looks")
    }

    /// The minutes, with the driver present who says `statement`; the page has the owner's name in the
    /// form already.
    pub async fn draw_minutes(&self, case: &str, statement: &str) -> Result<()> {
        let typed = [("born", "1988-03-02"), ("drove", "yes"), ("statement", statement)];
        self.step(&self.clerk, case, "bien-ban", &typed).await
    }

    /// Puts on record what the violator wrote, and what the unit finds.
    pub async fn explain(&self, case: &str, said: &str, finding: &str) -> Result<()> {
        let typed = [("way", "written"), ("explanation", said), ("finding", finding)];
        self.step(&self.clerk, case, "giai-trinh", &typed).await
    }

    /// The clerk proposes what the law has as usual.
    pub async fn propose(&self, case: &str) -> Result<()> {
        self.step(&self.clerk, case, "xu-phat", &[("action", "propose")]).await
    }

    /// The leader signs, and the central issues the decision and what it says of points.
    pub async fn sign(&self, case: &str) -> Result<Fine> {
        self.step(&self.leader, case, "xu-phat", &[("action", "sign")]).await?;
        for _ in 0..TRIES {
            let fine = self.fine(case).await?;
            let printed = ["decision", "points"].map(|kind| fine.paper(kind).is_some());
            if fine.says("Số quyết định").is_ok() && printed == [true, true] {
                return Ok(fine);
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("the decision of case {case} is not issued after {TRIES} looks")
    }

    /// How the fine of a case stands.
    pub async fn fine(&self, case: &str) -> Result<Fine> {
        let page = self.clerk.page(&path(case)).await?;
        Ok(Fine { facts: page::facts(&page).into_iter().collect(), page })
    }

    /// A document of a case.
    pub async fn paper(&self, fine: &Fine, kind: &str) -> Result<Vec<u8>> {
        let link = fine.paper(kind).with_context(|| format!("there is no {kind}"))?;
        self.clerk.paper(&link).await?.with_context(|| format!("{link} leads nowhere"))
    }

    /// The bank's statement of the day, on which each of these fines is paid, and the central's word on it.
    pub fn pay(&self, fines: &[&Fine]) -> Result<String> {
        let mut lines =
            String::from("so_tai_khoan;ma_giao_dich;ngay_giao_dich;noi_dung;ghi_co;nguoi_nop\n");
        let today = OffsetDateTime::now_utc().to_offset(offset!(+7)).date();
        let today = today.format(format_description!("[day]/[month]/[year]"))?;
        for fine in fines {
            let (code, open) = (fine.says("Mã nộp phạt")?, fine.money("Còn phải nộp")?);
            lines += &format!("{ACCOUNT};FT-{code};{today};NOP PHAT {code};{open};NGUOI NOP MAU\n");
        }
        let file = self.site.dir.join("statement.csv");
        std::fs::write(&file, lines).with_context(|| format!("write {}", file.display()))?;
        let mut command = self.central.command(&self.site, &["admin", "import-statement"])?;
        command.arg(&file);
        Ok(process::finish(command)?.trim_end().to_owned())
    }

    /// One form of a case's page.
    async fn step(&self, who: &Api, case: &str, form: &str, typed: &[(&str, &str)]) -> Result<()> {
        let page = path(case);
        let sent = who.submit(&page, &format!("{page}/{form}"), typed).await?;
        ensure!(sent.is_some(), "the page of case {case} does not offer {form} {typed:?}");
        Ok(())
    }
}

impl Fine {
    /// What stands beside a name on the case's page.
    pub fn says(&self, name: &str) -> Result<&str> {
        let said = self.facts.get(name).map(String::as_str);
        said.with_context(|| format!("the case's page has no \"{name}\""))
    }

    /// The same as an amount of đồng.
    pub fn money(&self, name: &str) -> Result<i64> {
        let said = self.says(name)?;
        let digits: String = said.chars().filter(char::is_ascii_digit).collect();
        digits.parse().with_context(|| format!("{name} is no amount: {said}"))
    }

    /// Whether the page has these words anywhere.
    pub fn mentions(&self, words: &str) -> bool {
        page::words(&self.page).contains(words)
    }

    fn paper(&self, kind: &str) -> Option<String> {
        let part = format!("/van-ban/{kind}-");
        page::links(&self.page).into_iter().find(|link| link.contains(&part))
    }
}

fn path(case: &str) -> String {
    format!("/ho-so/{case}")
}
