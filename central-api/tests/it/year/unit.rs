//! The unit that carries the lives on: each step by whose it is, through the doors of the pages.

use std::sync::Arc;

use axum::http::StatusCode;
use bytes::Bytes;
use central_api::clock::Clock as _;
use central_api::law::{Payer as Fined, VIETNAM};
use central_api::proceedings::delivery::{self, Paper};
use central_api::proceedings::payment::refund::{self, Of};
use central_api::proceedings::payment::{self, By, ClaimRow, Payer};
use central_api::proceedings::{decision, minutes, owner, row};
use central_api::store::Tx;
use central_api::{registry, work};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use time::{Date, Duration, OffsetDateTime};

use super::life::{Life, Step, day};
use super::seen;
use crate::delivery as sent;
use crate::payment::{ACCOUNT, WHY, incoming, notify};
use crate::sanctions::{CHIEF, office, posted, staff};
use crate::setting::Setting;
use crate::setting::browserless::{Answer, Visitor};
use crate::support::Database;

const OWNER: &str = "Trần Thị Chủ Xe";

pub struct Unit {
    pub setting: Setting,
    /// Reviewer, approver, clerk, and an approver who signs.
    an: Visitor,
    binh: Visitor,
    chi: Visitor,
    dung: Visitor,
    /// Ids of clerk and approver.
    ids: [String; 2],
    /// Numbers of letters and bank transactions that were given out.
    given: u32,
    recall: Option<String>,
}

impl Unit {
    pub async fn begun(database: Database, start: OffsetDateTime, lives: &[Life]) -> Self {
        let mut setting = Setting::from(database, start).await;
        crate::owners::ask_registry(&mut setting);
        let config = Arc::get_mut(&mut setting.state.config).unwrap();
        config.treasury.bank = "970436".into();
        config.treasury.account = ACCOUNT.into();
        config.treasury.name = "KHO BAC NHA NUOC".into();
        // Nobody signs in anew each morning of the year.
        config.staff.idle_minutes = u32::MAX / 2;
        config.staff.session_hours = 24 * 1000;
        staff(&setting).await;
        office(&setting, "binh", CHIEF).await;
        let lines = lives.iter().enumerate().filter_map(|(n, life)| registered(n, life));
        let file = format!("{}\n{}\n", crate::owners::HEADER, lines.collect::<Vec<_>>().join("\n"));
        registry::import(&setting.state.store, file.as_bytes(), false, start).await.unwrap();
        work::begin(&setting.state).await.unwrap();
        let state = &setting.state;
        let id = async |login: &str| {
            sqlx::query_scalar::<_, String>("SELECT id FROM users WHERE login = $1")
                .bind(login.to_owned())
                .fetch_one(state.store.pool())
                .await
                .unwrap()
        };
        Self {
            an: Visitor::officer(state, "an").await,
            binh: Visitor::officer(state, "binh").await,
            chi: Visitor::officer(state, "chi").await,
            dung: Visitor::officer(state, "dung").await,
            ids: [id("chi").await, id("binh").await],
            given: 0,
            recall: None,
            setting,
        }
    }

    pub fn until(&self, moment: OffsetDateTime) {
        let clock = &self.setting.clock;
        clock.advance(moment - clock.now());
    }

    pub async fn work(&self) {
        work::work_off(&self.setting.state).await.unwrap();
    }

    /// Two days after a decision went out the post office says that it was received.
    pub async fn received(&mut self) {
        let now = self.setting.clock.now();
        let sent = sqlx::query(
            "SELECT post_batches.number, deliveries.place, deliveries.sent_at
             FROM deliveries JOIN post_batches ON post_batches.id = deliveries.batch_id
             WHERE deliveries.kind = 'decision' AND deliveries.state = 'sent'",
        );
        let sent = sent.fetch_all(self.setting.state.store.pool()).await.unwrap();
        let mut lines = String::new();
        for letter in &sent {
            let at = OffsetDateTime::from_unix_timestamp(letter.get::<i64, _>(2) / 1000).unwrap();
            let on = (at + Duration::days(2)).to_offset(VIETNAM).date();
            if on <= now.to_offset(VIETNAM).date() {
                lines += &self.line(letter, "Phát thành công", on);
            }
        }
        if !lines.is_empty() {
            let answer = self.told(&lines).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        }
    }

    /// A line of the post office's file about a letter (its batch and place).
    fn line(&mut self, letter: &AnyRow, what: &str, on: Date) -> String {
        self.given += 1;
        let reference = format!("{}-{:04}", letter.get::<i64, _>(0), letter.get::<i64, _>(1));
        let day = format!("{:02}/{:02}/{}", on.day(), u8::from(on.month()), on.year());
        format!("{reference};RB{}VN;{what};{day}\n", self.given)
    }

    async fn told(&mut self, lines: &str) -> Answer {
        let text = format!("ma_buu_pham;so_hieu_buu_gui;trang_thai;ngay\n{lines}");
        let csrf = self.chi.csrf.clone();
        self.chi.upload("/giao-nhan/buu-gui", &[("csrf", &csrf)], text.as_bytes()).await
    }

    /// The camera's package of the `n`th life comes in.
    pub async fn seen(&self, sequence: u64, n: usize, life: &Life) -> String {
        // Hundreds of notices are printed with these: small ones.
        let small = Bytes::from_static(include_bytes!("../../assets/closeup.jpg"));
        let pictures = ["before.jpg", "on.jpg", "past.jpg"].map(|name| (name, small.clone()));
        let edit = |manifest: &mut _| seen::edit(manifest, n, life);
        self.setting.case_with(sequence, pictures.into(), edit).await
    }

    /// The afternoon's post: everything that waits is printed and handed over.
    pub async fn post(&mut self) {
        loop {
            let mut wait = 0;
            for paper in Paper::ALL {
                let waits = delivery::count(&self.setting.state.store, paper).await.unwrap();
                wait += waits.waiting + waits.again;
            }
            if wait == 0 {
                return;
            }
            let csrf = self.chi.csrf.clone();
            let fields = [("csrf", csrf.as_str()), ("most", "50")];
            let answer = self.chi.post("/giao-nhan/in", &fields).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
            let batch = answer.location().to_owned();
            self.work().await;
            let found = batch.strip_prefix("/giao-nhan/").unwrap();
            let found = delivery::batch(&self.setting.state.store, found).await.unwrap().unwrap();
            // What cannot be printed is held, and what is left waits for somebody.
            if found.letters == 0 {
                return;
            }
            let path = format!("{batch}/gui");
            let answer = self.chi.post(&path, &[("csrf", csrf.as_str())]).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
            // What stays in the house would be printed for ever.
            if !answer.location().ends_with(".0") {
                return;
            }
        }
    }

    /// One step of a case. Says why where it is refused.
    pub async fn step(&mut self, life: &Life, case: &str, step: &Step) -> Result<(), String> {
        let reason = step.more.first().map_or("other", String::as_str);
        let because = [("reason", reason), ("note", "xem xét lại hồ sơ và hình ảnh")];
        let note = &because[1..];
        let answer = match step.verb.as_str() {
            "accept" => self.an.decide(case, "accept", &[]).await,
            "reject" => self.an.decide(case, "reject", &because).await,
            "reopen" => self.an.decide(case, "reopen", note).await,
            "approve" => self.binh.decide(case, "approve", &[]).await,
            "return" => self.binh.decide(case, "return", &because).await,
            "withdraw" => self.binh.decide(case, "withdraw", &because).await,
            "agree" => self.dung.decide(case, "confirm_withdrawal", &[]).await,
            "keep" => self.dung.decide(case, "keep", note).await,
            "owner" => self.owner(case).await,
            "came" => {
                let code = sent::code(&self.setting, case, Paper::Notice).await;
                let fields = [("how", "came"), ("document", code.as_str())];
                posted(&mut self.chi, case, "giao-nhan", &fields).await
            }
            "commune" => self.commune(case, step.day).await,
            "returned" => self.returned(case, step.day).await,
            "minutes" => self.minutes(life, case, step).await,
            "explain" => self.explain(case, step).await,
            "propose" => self.propose(case, step).await,
            "sign" => self.decide(case, "dung", "sign", "").await,
            "annul" => self.decide(case, "dung", "annul", "xử phạt nhầm người vi phạm").await,
            "confirm" => self.decide(case, "binh", "confirm_annulment", "").await,
            "recall" => self.recalled(case, reason, step.day).await,
            _ => return self.money(case, step).await,
        };
        self.work().await;
        match answer.status {
            StatusCode::SEE_OTHER => Ok(()),
            _ => Err(format!("{}: {}", answer.status, words(&answer))),
        }
    }

    /// The clerk finds who bought the vehicle.
    async fn owner(&mut self, case: &str) -> Answer {
        let record = owner::find(&self.setting.state.store, case).await.unwrap().unwrap();
        let fields = [
            ("version", record.version.to_string()),
            ("who", "other".into()),
            ("kind", "person".into()),
            ("name", "Lê Văn Mua".into()),
            ("id_number", "001200000002".into()),
            ("address", "Số 5 Phố Mẫu".into()),
            ("note", "hợp đồng mua bán xe ngày 02/02".into()),
        ];
        let fields: Vec<_> = fields.iter().map(|(name, it)| (*name, it.as_str())).collect();
        posted(&mut self.chi, case, "chu-xe", &fields).await
    }

    async fn commune(&mut self, case: &str, on: Date) -> Answer {
        let code = sent::code(&self.setting, case, Paper::Notice).await;
        let seen = sent::deliveries(&self.setting, case, Paper::Notice).await.len().to_string();
        let (on, seen) = (on.to_string(), seen.as_str());
        let fields = [
            ("how", "commune"),
            ("document", code.as_str()),
            ("seen", seen),
            ("day", &on),
            ("note", "niêm yết tại trụ sở Ủy ban, có biên bản"),
        ];
        posted(&mut self.chi, case, "giao-nhan", &fields).await
    }

    /// The post office says that the case's letter came back.
    async fn returned(&mut self, case: &str, on: Date) -> Answer {
        let sent = sqlx::query(
            "SELECT number, place FROM post_batches JOIN (
                 SELECT batch_id, place FROM deliveries
                 WHERE case_id = $1 AND kind = 'notice' AND state = 'sent'
             ) letters ON letters.batch_id = post_batches.id",
        );
        let pool = self.setting.state.store.pool();
        let sent = sent.bind(case.to_owned()).fetch_one(pool).await.unwrap();
        let line = self.line(&sent, "Chuyển hoàn", on);
        self.told(&line).await
    }

    async fn minutes(&mut self, life: &Life, case: &str, step: &Step) -> Answer {
        let store = &self.setting.state.store;
        let before: Option<minutes::Row> = row::find(store, case).await.unwrap();
        let version = before.map_or(0, |row| row.version).to_string();
        let payer = life.payer.as_deref().unwrap_or("adult");
        let is_person = payer != "organisation";
        let on = step.day.to_string();
        let mut fields = vec![
            ("kind", if is_person { "person" } else { "organisation" }),
            ("name", if is_person { OWNER } else { "Công ty TNHH Vận tải Mẫu" }),
            ("id_number", "001200000001"),
            ("address", "1 Phố Mẫu"),
            ("drove", if ["organisation", "owner"].contains(&payer) { "no" } else { "yes" }),
            ("identified_on", &on),
            ("place", "Phòng Cảnh sát giao thông"),
            ("statement", "Tôi vội đi làm."),
            ("version", &version),
        ];
        if is_person {
            fields.push(("born", step.value("born").unwrap_or("1990-05-01")));
        }
        if step.says("waives") {
            fields.push(("waives", "yes"));
        }
        if step.says("unsigned") {
            let why = "vắng mặt tại nơi cư trú, đã gửi thư mời";
            fields.extend([("unsigned", why), ("witness", "Lê Thị Chứng Kiến")]);
        }
        posted(&mut self.chi, case, "bien-ban", &fields).await
    }

    async fn explain(&mut self, case: &str, step: &Step) -> Answer {
        let store = &self.setting.state.store;
        let before: Option<minutes::Row> = row::find(store, case).await.unwrap();
        let (version, on) = (before.unwrap().version.to_string(), step.day.to_string());
        let fields = [
            ("version", version.as_str()),
            ("way", &step.more[0]),
            ("received_on", &on),
            ("explanation", "Đèn bị che khuất."),
            ("finding", "Ảnh cho thấy đèn không bị che."),
        ];
        posted(&mut self.chi, case, "giai-trinh", &fields).await
    }

    async fn version(&self, case: &str) -> String {
        let row: Option<decision::Row> = row::find(&self.setting.state.store, case).await.unwrap();
        row.map_or(0, |row| row.version).to_string()
    }

    async fn propose(&mut self, case: &str, step: &Step) -> Answer {
        let version = self.version(case).await;
        let mut fields = vec![("action", "propose"), ("version", version.as_str())];
        fields.extend(step.value("amount").map(|amount| ("amount", amount)));
        let found = step.more.iter().filter(|word| !word.contains('='));
        fields.extend(found.map(|key| ("circumstance", key.as_str())));
        posted(&mut self.chi, case, "xu-phat", &fields).await
    }

    async fn decide(&mut self, case: &str, who: &str, action: &str, reason: &str) -> Answer {
        let version = self.version(case).await;
        let fields = [("action", action), ("version", version.as_str()), ("reason", reason)];
        let visitor = if who == "dung" { &mut self.dung } else { &mut self.binh };
        posted(visitor, case, "xu-phat", &fields).await
    }

    /// The camera's fault is found; this case of it is settled as two people choose.
    async fn recalled(&mut self, case: &str, choice: &str, on: Date) -> Answer {
        if self.recall.is_none() {
            let (csrf, to) = (self.binh.csrf.clone(), on.to_string());
            let fields = [
                ("csrf", csrf.as_str()),
                ("cause", "camera"),
                ("value", seen::RECALLED),
                ("from", "2026-06-30"),
                ("to", &to),
                ("reason", "đèn bị lắp sai pha từ đầu tháng"),
            ];
            let answer = self.binh.post("/ra-soat", &fields).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
            self.recall = Some(answer.location().to_owned());
            self.work().await;
        }
        let path = self.recall.clone().unwrap();
        let csrf = self.binh.csrf.clone();
        let ask = [("csrf", csrf.as_str()), ("step", "ask"), ("choice", choice), ("which", case)];
        let asked = self.binh.post(&path, &ask).await;
        if asked.status != StatusCode::SEE_OTHER {
            return asked;
        }
        let csrf = self.dung.csrf.clone();
        let agree =
            [("csrf", csrf.as_str()), ("step", "confirm"), ("choice", choice), ("shown", "1")];
        self.dung.post(&path, &agree).await
    }

    /// Steps of the claim of the case.
    async fn money(&mut self, case: &str, step: &Step) -> Result<(), String> {
        let (law, now) = (self.setting.state.law.clone(), self.setting.clock.now());
        let store = self.setting.state.store.clone();
        let amount = || step.more[0].parse::<i64>().unwrap();
        let ids = self.ids.clone();
        let by = By::User { id: &ids[0], login: "chi" };
        let told = |error: payment::PaymentError| error.to_string();
        match step.verb.as_str() {
            "pay" | "stray" => {
                self.given += 1;
                let row: decision::Row = row::find(&store, case).await.unwrap().unwrap();
                let reference = row.content.issued.unwrap().reference.to_lowercase();
                let purpose = match step.verb.as_str() {
                    "pay" => format!("nop phat {reference}"),
                    _ => "chuyen tien".to_owned(),
                };
                let paid = incoming(&format!("FT{}", self.given), amount(), step.day, &purpose);
                notify(&self.setting, &paid).await.map(drop).map_err(told)
            }
            "assign" => {
                let (id, version): (String, i64) = sqlx::query_as(
                    "SELECT id, version FROM payment_receipts WHERE state = 'unmatched'",
                )
                .fetch_one(store.pool())
                .await
                .unwrap();
                let claim = self.claim(case).await;
                let reference = claim.reference.as_str();
                let receipt = (id.as_str(), version);
                let done = payment::assign(&store, &law, receipt, reference, (by, WHY), now).await;
                done.map(drop).map_err(told)
            }
            "refund" => {
                let claim = self.claim(case).await;
                let to = Payer {
                    name: "TRAN VAN NOP".into(),
                    account: "0011".into(),
                    bank: "970415".into(),
                };
                let of = Of::Excess(claim.id);
                let refund = refund::ask(&store, &of, &to, (by, WHY), now).await.map_err(told)?;
                let binh = By::User { id: &ids[1], login: "binh" };
                refund::confirm(&store, (&refund, 2), binh, now).await.map_err(told)?;
                refund::export(&store, by, now).await.map_err(told)?;
                let mut view = store.pool().acquire().await.unwrap();
                let waiting = refund::waiting(&mut view, 10).await.unwrap();
                drop(view);
                let which = (refund.as_str(), waiting[0].version);
                let today = payment::today(now);
                refund::paid_out(&store, &law, which, (by, today), now)
                    .await
                    .map_err(told)
                    .map(drop)
            }
            verb => {
                let claim = self.claim(case).await;
                let mut tx: Tx<'_> = store.begin().await.unwrap();
                let done = match verb {
                    "parts" => {
                        let parts: Vec<_> = step
                            .more
                            .iter()
                            .filter_map(|it| it.split_once('='))
                            .map(|(due, amount)| (day(due), amount.parse().unwrap()))
                            .collect();
                        let plan = (Fined::Adult, step.day, &parts[..]);
                        payment::by_parts(&mut tx, &law, &claim.id, plan, by, now).await
                    }
                    "pause" => {
                        let days = (day(&step.more[0]), Some(day(&step.more[1])));
                        payment::pause(&mut tx, &law, &claim.id, days, by, now).await
                    }
                    "reduce" => {
                        payment::change(&mut tx, &law, &claim.id, amount(), (by, WHY), now).await
                    }
                    other => panic!("no step is called {other}"),
                };
                done.map_err(told)?;
                tx.commit().await.unwrap();
                Ok(())
            }
        }
    }

    /// The latest claim of a case.
    async fn claim(&self, case: &str) -> ClaimRow {
        let mut view = self.setting.state.store.pool().acquire().await.unwrap();
        payment::of_case(&mut view, case).await.unwrap().pop().unwrap()
    }
}

/// What a refusal says, without the page around it.
fn words(answer: &Answer) -> String {
    let text = answer.text();
    let main = text.split("<main").nth(1).unwrap_or(&text);
    main.chars().take(600).collect()
}

fn registered(n: usize, life: &Life) -> Option<String> {
    let kind = if life.is_car() { "ô tô con" } else { "xe máy" };
    let (who, name) = match life.is_organisation() {
        true => ("tổ chức", "Công ty TNHH Vận tải Mẫu"),
        false => ("cá nhân", OWNER),
    };
    let standing = match life.registry.as_deref() {
        Some("unknown") => return None,
        None | Some("organisation") => "",
        Some(standing) => standing,
    };
    let plate = seen::written(n, life);
    Some(format!("{plate};{kind};;Honda;đen;{who};{name};001200000001;1 Phố Mẫu;{standing}"))
}
