//! The money that a decision asks for, on both databases: from the claim until it is paid, or paid back.

use central_api::admin::users::Role;
use central_api::clock::Clock as _;
use central_api::law::{PartsError, Payer as Fined};
use central_api::proceedings::payment::refund::{self, Of, State};
use central_api::proceedings::payment::statement::{self, Imported, StatementError};
use central_api::proceedings::payment::{
    self, By, Claim, ClaimRow, ClaimState, Effect, Event, Incoming, Payer, PaymentError, Reference,
    Taken,
};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use time::Date;
use time::macros::date;

use crate::setting::Setting;

pub const ACCOUNT: &str = "1017595600";
pub const FINE: i64 = 5_000_000;
/// The tests begin on 21 November 2026.
pub const DUE: Date = date!(2026 - 12 - 10);
pub const WHY: &str = "đã đối chiếu với chứng từ";

/// Settings with a treasury account and two clerks.
pub async fn each() -> Vec<(Setting, [String; 2])> {
    let mut all = Vec::new();
    for mut setting in Setting::each().await {
        let config = std::sync::Arc::get_mut(&mut setting.state.config).unwrap();
        config.treasury.bank = "970436".into();
        config.treasury.account = ACCOUNT.into();
        config.treasury.name = "KHO BAC NHA NUOC".into();
        let chi = setting.user("chi", &[Role::Registry]).await;
        let binh = setting.user("binh", &[Role::Approver]).await;
        all.push((setting, [chi, binh]));
    }
    all
}

pub fn reference(seed: u64) -> Reference {
    Reference::draw(&mut StdRng::seed_from_u64(seed))
}

/// A case with a claim of `seed`'s reference.
pub async fn claimed(setting: &Setting, seed: u64) -> String {
    let case = setting.case(seed, |_| {}).await;
    claimed_of(setting, &case, seed).await.unwrap()
}

pub async fn claimed_of(setting: &Setting, case: &str, seed: u64) -> Result<String, PaymentError> {
    let claim = Claim {
        case_id: case,
        decision: &format!("{seed}/QĐ-XPHC"),
        decided_on: date!(2026 - 11 - 30),
        reference: reference(seed),
        fine: FINE,
        due: Some(DUE),
    };
    let mut tx = setting.state.store.begin().await.unwrap();
    let id = payment::claim(&mut tx, &claim, setting.clock.now()).await?;
    tx.commit().await.unwrap();
    Ok(id)
}

pub fn incoming(bank_id: &str, amount: i64, paid_on: Date, purpose: &str) -> Incoming {
    Incoming {
        account: ACCOUNT.into(),
        bank_id: bank_id.into(),
        amount,
        paid_on,
        purpose: purpose.into(),
        payer: Payer { name: "TRAN VAN NOP".into(), account: "0011".into(), bank: "970415".into() },
        is_returned: false,
    }
}

pub async fn notify(setting: &Setting, incoming: &Incoming) -> Result<Taken, PaymentError> {
    let id = format!("event {}", incoming.bank_id);
    let event = Event { id: &id, sha256: "0" };
    let (store, law, now) = (&setting.state.store, &setting.state.law, setting.clock.now());
    payment::notified(store, law, event, incoming, now).await
}

pub async fn find(setting: &Setting, claim: &str) -> ClaimRow {
    let mut view = setting.state.store.pool().acquire().await.unwrap();
    payment::find(&mut view, claim).await.unwrap().unwrap()
}

/// Account, version and so on of the receipt with that number of the bank.
async fn receipt(setting: &Setting, bank_id: &str) -> (String, i64) {
    sqlx::query_as("SELECT id, version FROM payment_receipts WHERE bank_id = $1")
        .bind(bank_id.to_owned())
        .fetch_one(setting.state.store.pool())
        .await
        .unwrap()
}

/// All entries together are nothing, each booking too, and every claim's sums are those of its entries.
pub async fn balanced(setting: &Setting) {
    let pool = setting.state.store.pool();
    let torn: Vec<String> = sqlx::query_scalar(
        "SELECT booking FROM payment_entries GROUP BY booking
         HAVING SUM(amount) <> 0 OR COUNT(*) <> 2",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert_eq!(torn, Vec::<String>::new());
    let wrong: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM payment_claims WHERE fine + surcharge - paid + refunded <> (
             SELECT COALESCE(SUM(amount), 0) FROM payment_entries
             WHERE claim_id = payment_claims.id AND account = 'debtor')
         OR (state = 'settled' AND paid - refunded < fine + surcharge)
         OR (state = 'open' AND paid - refunded >= fine + surcharge)
         OR surcharge < 0 OR excess <> CASE
             WHEN paid - refunded - fine - surcharge > 0 THEN paid - refunded - fine - surcharge
             ELSE 0 END",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert_eq!(wrong, Vec::<String>::new());
    // What is at the bank is what came in without what went out.
    let treasury: i64 = sqlx::query_scalar(
        "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM payment_entries WHERE account = 'treasury'",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    let came: i64 =
        sqlx::query_scalar("SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM payment_receipts")
            .fetch_one(pool)
            .await
            .unwrap();
    let went: i64 = sqlx::query_scalar(
        "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM payment_refunds WHERE state = 'paid_out'",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!(treasury, came - went);
    let unmatched: i64 = sqlx::query_scalar(
        "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM payment_entries WHERE account = 'unmatched'",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    let waiting: i64 = sqlx::query_scalar(
        "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM payment_receipts
         WHERE state IN ('unmatched', 'refunding')",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!(-unmatched, waiting);
}

async fn audited(setting: &Setting, action: &str) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE action = $1")
        .bind(action.to_owned())
        .fetch_one(setting.state.store.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_fine_paid_in_time_is_settled_once_and_told() {
    for (setting, _) in each().await {
        let claim = claimed(&setting, 1).await;
        let code = reference(1).to_string().to_lowercase();
        let purpose = format!("nop phat {}-{}", &code[..4], &code[4..]);
        let paid = incoming("FT1", FINE, DUE, &purpose);
        let taken = notify(&setting, &paid).await.unwrap();
        assert_eq!(taken, Taken::Assigned(Effect::Settled));
        assert_eq!(notify(&setting, &paid).await.unwrap(), Taken::Known);
        let row = find(&setting, &claim).await;
        assert_eq!((row.state, row.surcharge, row.excess), (ClaimState::Settled, 0, 0));
        let cases = [row.case_id.as_str(), "none"];
        let settled = payment::settled_among(&setting.state.store, &cases).await.unwrap();
        assert_eq!(settled.into_iter().collect::<Vec<_>>(), std::slice::from_ref(&row.case_id));
        assert_eq!(audited(&setting, "payment.settled").await, 1);
        // Paid twice: it stays settled, and the second payment must go back.
        let again = incoming("FT2", FINE, DUE, &purpose);
        assert_eq!(notify(&setting, &again).await.unwrap(), Taken::Assigned(Effect::None));
        assert_eq!(find(&setting, &claim).await.excess, FINE);
        assert_eq!(audited(&setting, "payment.settled").await, 1);
        balanced(&setting).await;
        let told: Vec<String> = sqlx::query_scalar("SELECT detail FROM audit")
            .fetch_all(setting.state.store.pool())
            .await
            .unwrap();
        assert!(!told.concat().contains("TRAN VAN NOP"), "the audit names no payer");
    }
}

#[tokio::test]
async fn a_late_payment_costs_and_the_order_of_news_does_not_count() {
    let late = date!(2026 - 12 - 14);
    let code = reference(1).to_string();
    let rows = [
        incoming("FT1", 2_000_000, DUE, &code),
        incoming("FT2", 3_000_000, late, &code),
        incoming("FT3", 4_500, date!(2026 - 12 - 20), &code),
    ];
    for (order, effects) in [([0, 1, 2], [0, 0, 1]), ([2, 1, 0], [0, 0, 1]), ([1, 2, 0], [0, 0, 1])]
    {
        for (setting, _) in each().await {
            let claim = claimed(&setting, 1).await;
            setting.clock.advance(time::Duration::days(40));
            for (at, settles) in order.into_iter().zip(effects) {
                let taken = notify(&setting, &rows[at]).await.unwrap();
                let expected = if settles == 1 { Effect::Settled } else { Effect::None };
                assert_eq!(taken, Taken::Assigned(expected), "{order:?}");
            }
            // Three million were late on three days: the 11th to the 13th.
            let row = find(&setting, &claim).await;
            assert_eq!((row.surcharge, row.excess, row.state), (4_500, 0, ClaimState::Settled));
            balanced(&setting).await;
        }
    }
}

#[tokio::test]
async fn what_is_asked_for_may_change_and_what_was_paid_goes_back() {
    for (setting, [chi, _]) in each().await {
        let (law, now) = (&setting.state.law, setting.clock.now());
        let by = (By::User { id: &chi, login: "chi" }, WHY);
        let claim = claimed(&setting, 1).await;
        let code = reference(1).to_string();
        notify(&setting, &incoming("FT1", 3_000_000, DUE, &code)).await.unwrap();
        let mut tx = setting.state.store.begin().await.unwrap();
        let raised = payment::change(&mut tx, law, &claim, FINE + 1, by, now).await;
        assert!(matches!(raised, Err(PaymentError::Raised)));
        drop(tx);
        let mut tx = setting.state.store.begin().await.unwrap();
        let effect = payment::change(&mut tx, law, &claim, 2_500_000, by, now).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(effect, Effect::Settled);
        assert_eq!(find(&setting, &claim).await.excess, 500_000);
        balanced(&setting).await;
        // Annulled: all of it goes back, and so does what comes after it.
        let mut tx = setting.state.store.begin().await.unwrap();
        payment::cancel(&mut tx, law, &claim, by, now).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(find(&setting, &claim).await.excess, 3_000_000);
        let taken = notify(&setting, &incoming("FT2", 7, DUE, &code)).await.unwrap();
        assert_eq!(taken, Taken::Assigned(Effect::None));
        let row = find(&setting, &claim).await;
        assert_eq!((row.excess, row.state), (3_000_007, ClaimState::Cancelled));
        let mut tx = setting.state.store.begin().await.unwrap();
        let again = payment::cancel(&mut tx, law, &claim, by, now).await;
        assert!(matches!(again, Err(PaymentError::NotPossible)));
        drop(tx);
        balanced(&setting).await;
        // The case may have another claim now; a reference and a decision never come twice.
        assert!(matches!(claimed_of(&setting, &row.case_id, 1).await, Err(PaymentError::Taken)));
        claimed_of(&setting, &row.case_id, 2).await.unwrap();
        assert!(matches!(claimed_of(&setting, &row.case_id, 3).await, Err(PaymentError::Taken)));
    }
}

#[tokio::test]
async fn pauses_and_parts_hold_the_surcharge_up() {
    for (setting, [chi, _]) in each().await {
        let (store, law, now) = (&setting.state.store, &setting.state.law, setting.clock.now());
        let by = By::User { id: &chi, login: "chi" };
        let claim = claimed(&setting, 1).await;
        let on = async |day: Date| {
            let mut view = store.pool().acquire().await.unwrap();
            let row = payment::find(&mut view, &claim).await.unwrap().unwrap();
            let it = payment::standing(&mut view, law, &row, day).await.unwrap();
            (it.surcharge, it.is_overdue)
        };
        let day = date!(2026 - 12 - 20);
        assert_eq!(on(day).await, (9 * 2_500, true));
        let mut tx = store.begin().await.unwrap();
        payment::pause(&mut tx, law, &claim, (date!(2026 - 12 - 13), None), by, now).await.unwrap();
        let twice = payment::pause(&mut tx, law, &claim, (day, None), by, now).await;
        assert!(matches!(twice, Err(PaymentError::Pause)));
        tx.commit().await.unwrap();
        assert_eq!(on(day).await, (2 * 2_500, false));
        let mut tx = store.begin().await.unwrap();
        let last = date!(2026 - 12 - 18);
        payment::resume(&mut tx, law, &claim, last, by, now).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(on(day).await, (3 * 2_500, true));
        // Five million are too little for parts.
        let parts = [(date!(2026 - 12 - 31), 3_000_000), (date!(2027 - 02 - 28), 2_000_000)];
        let mut tx = store.begin().await.unwrap();
        let plan = (Fined::Adult, day, &parts[..]);
        let small = payment::by_parts(&mut tx, law, &claim, plan, by, now).await;
        assert!(matches!(small, Err(PaymentError::Parts(PartsError::TooSmall(15_000_000)))));
        drop(tx);
        balanced(&setting).await;
    }
}

#[tokio::test]
async fn a_large_fine_is_paid_by_parts() {
    for (setting, [chi, _]) in each().await {
        let (store, law, now) = (&setting.state.store, &setting.state.law, setting.clock.now());
        let by = By::User { id: &chi, login: "chi" };
        let case = setting.case(1, |_| {}).await;
        let asked = Claim {
            case_id: &case,
            decision: "1/QĐ-XPHC",
            decided_on: date!(2026 - 11 - 30),
            reference: reference(1),
            fine: 20_000_000,
            due: Some(DUE),
        };
        let mut tx = store.begin().await.unwrap();
        let claim = payment::claim(&mut tx, &asked, now).await.unwrap();
        let parts = [(date!(2026 - 12 - 31), 8_000_000), (date!(2027 - 03 - 31), 12_000_000)];
        let plan = (Fined::Adult, date!(2026 - 12 - 08), &parts[..]);
        payment::by_parts(&mut tx, law, &claim, plan, by, now).await.unwrap();
        tx.commit().await.unwrap();
        setting.clock.advance(time::Duration::days(150));
        let code = reference(1).to_string();
        let first = incoming("FT1", 8_000_000, date!(2026 - 12 - 31), &code);
        notify(&setting, &first).await.unwrap();
        assert_eq!(find(&setting, &claim).await.surcharge, 0);
        // The second part on 3 April: the 1st and 2nd were late.
        let second = incoming("FT2", 12_012_000, date!(2027 - 04 - 03), &code);
        let taken = notify(&setting, &second).await.unwrap();
        assert_eq!(taken, Taken::Assigned(Effect::Settled));
        let row = find(&setting, &claim).await;
        assert_eq!((row.surcharge, row.excess), (12_000, 0));
        balanced(&setting).await;
    }
}

#[tokio::test]
async fn what_names_no_single_claim_waits_for_a_clerk() {
    for (setting, [chi, binh]) in each().await {
        let (store, law, now) = (&setting.state.store, &setting.state.law, setting.clock.now());
        let (chi, binh) =
            (By::User { id: &chi, login: "chi" }, By::User { id: &binh, login: "binh" });
        let claim = claimed(&setting, 1).await;
        setting.clock.advance(time::Duration::minutes(30));
        claimed(&setting, 2).await;
        let (one, two) = (reference(1).to_string(), reference(2).to_string());
        for (id, purpose) in [
            ("N1", "nop phat".to_owned()),
            ("N2", format!("{one} {two}")),
            ("N3", reference(3).to_string()),
            // Cut, and not exactly what is open.
            ("N4", one[..8].to_owned()),
        ] {
            let taken = notify(&setting, &incoming(id, 77, DUE, &purpose)).await.unwrap();
            assert_eq!(taken, Taken::Unmatched, "{id}");
        }
        let cut = format!("CHUYEN TIEN NOP PHAT {}", &two[..8]);
        let taken = notify(&setting, &incoming("N5", FINE, DUE, &cut)).await.unwrap();
        assert_eq!(taken, Taken::Assigned(Effect::Settled), "cut, and exactly what is open");
        let mut view = store.pool().acquire().await.unwrap();
        assert_eq!(payment::unmatched(&mut view, 10).await.unwrap().len(), 4);
        assert_eq!(payment::candidates(&mut view, &format!("{one} {two}")).await.unwrap().len(), 2);
        drop(view);

        let (id, version) = receipt(&setting, "N1").await;
        let put = async |version, to: &str, note: &str| {
            payment::assign(store, law, (&id, version), to, (chi, note), now).await
        };
        assert!(matches!(put(version, &one, "kurz").await, Err(PaymentError::ReasonMissing)));
        assert!(matches!(put(version, "9/QĐ-XPHC", WHY).await, Err(PaymentError::NotFound)));
        assert!(matches!(put(version + 1, &one, WHY).await, Err(PaymentError::Conflict)));
        assert_eq!(put(version, " 1/QĐ-XPHC ", WHY).await.unwrap(), Effect::None);
        assert!(put(version, &one, WHY).await.is_err(), "somebody was faster");
        assert_eq!(find(&setting, &claim).await.paid, 77);
        let (id, version) = receipt(&setting, "N1").await;
        payment::unassign(store, law, (&id, version), (chi, WHY), now).await.unwrap();
        assert_eq!(find(&setting, &claim).await.paid, 0);
        balanced(&setting).await;

        // Not ours: one asks, another confirms, the bank pays.
        let (id, _) = receipt(&setting, "N2").await;
        let to =
            Payer { name: "TRAN VAN NOP".into(), account: "0011".into(), bank: "970415".into() };
        let of = Of::Receipt(id);
        let formula = Payer { name: "=1+1".into(), ..to.clone() };
        let refused = refund::ask(store, &of, &formula, (chi, WHY), now).await;
        assert!(matches!(refused, Err(PaymentError::Field("name"))));
        let refund = refund::ask(store, &of, &to, (chi, WHY), now).await.unwrap();
        assert!(refund::ask(store, &of, &to, (chi, WHY), now).await.is_err(), "twice");
        let alone = refund::confirm(store, (&refund, 2), chi, now).await;
        assert!(matches!(alone, Err(PaymentError::SamePerson)));
        let early =
            refund::paid_out(store, law, (&refund, 2), (chi, payment::today(now)), now).await;
        assert!(matches!(early, Err(PaymentError::NotPossible)));
        refund::confirm(store, (&refund, 2), binh, now).await.unwrap();
        let batch = refund::export(store, chi, now).await.unwrap().unwrap();
        assert_eq!(refund::export(store, chi, now).await.unwrap(), None);
        let mut view = store.pool().acquire().await.unwrap();
        let file = refund::file(&mut view, &batch).await.unwrap().unwrap();
        let line =
            format!("1,\"TRAN VAN NOP\",\"0011\",\"970415\",77,Hoan tra tien nop phat {refund}");
        assert!(file.contains(&line), "{file}");
        let waiting = refund::waiting(&mut view, 10).await.unwrap();
        assert_eq!(waiting[0].state, State::Exported);
        drop(view);
        let which = (refund.as_str(), waiting[0].version);
        refund::paid_out(store, law, which, (chi, payment::today(now)), now).await.unwrap();
        let again = refund::paid_out(store, law, which, (chi, payment::today(now)), now).await;
        assert!(again.is_err(), "never twice");
        balanced(&setting).await;
    }
}

#[tokio::test]
async fn an_excess_goes_back_unless_the_bank_was_faster() {
    for (setting, [chi, binh]) in each().await {
        let (store, law, now) = (&setting.state.store, &setting.state.law, setting.clock.now());
        let (chi, binh) =
            (By::User { id: &chi, login: "chi" }, By::User { id: &binh, login: "binh" });
        let claim = claimed(&setting, 1).await;
        let code = reference(1).to_string();
        for id in ["FT1", "FT2"] {
            notify(&setting, &incoming(id, FINE, DUE, &code)).await.unwrap();
        }
        let to = Payer { name: "A".into(), account: "1".into(), bank: "2".into() };
        let of = Of::Excess(claim.clone());
        let refund = refund::ask(store, &of, &to, (chi, WHY), now).await.unwrap();
        assert!(refund::ask(store, &of, &to, (chi, WHY), now).await.is_err(), "twice");
        // The bank takes the second payment back; nothing is too much any more.
        let back = incoming("FT3", -FINE, DUE, &code);
        assert_eq!(notify(&setting, &back).await.unwrap(), Taken::Unmatched);
        balanced(&setting).await;
        let (id, version) = receipt(&setting, "FT3").await;
        let pair = async |with: &str| {
            payment::pair(store, law, (&id, version), with, (chi, WHY), now).await
        };
        assert!(matches!(pair("none").await, Err(PaymentError::NotFound)));
        assert_eq!(pair("FT2").await.unwrap(), Effect::None);
        assert!(pair("FT1").await.is_err(), "one taking back takes one receipt back");
        let late = refund::confirm(store, (&refund, 2), binh, now).await;
        assert!(matches!(late, Err(PaymentError::NotPossible)));
        refund::give_up(store, (&refund, 2), binh, now).await.unwrap();
        assert_eq!(find(&setting, &claim).await.state, ClaimState::Settled);
        // The other one too: the fine is open again, and settled anew once it is paid.
        notify(&setting, &incoming("FT4", -FINE, DUE, "")).await.unwrap();
        let (id, version) = receipt(&setting, "FT4").await;
        let effect =
            payment::pair(store, law, (&id, version), "FT1", (chi, WHY), now).await.unwrap();
        assert_eq!(effect, Effect::Reopened);
        balanced(&setting).await;
        let taken = notify(&setting, &incoming("FT5", FINE, DUE, &code)).await.unwrap();
        assert_eq!(taken, Taken::Assigned(Effect::Settled));
        balanced(&setting).await;
    }
}

/// A statement in the tests' columns.
pub fn csv(rows: &[(&str, i64, &str)]) -> String {
    let mut text = "so_tai_khoan,ma_giao_dich,ngay_giao_dich,so_tien,noi_dung\n".to_owned();
    for (id, amount, purpose) in rows {
        text.push_str(&format!("{ACCOUNT},{id},20/11/2026,{amount},{purpose}\n"));
    }
    text
}

pub async fn import(setting: &Setting, text: &str) -> Result<Imported, StatementError> {
    let state = &setting.state;
    let (treasury, now) = (&state.config.treasury, setting.clock.now());
    statement::import(&state.store, &state.law, treasury, text.as_bytes(), By::System, now).await
}

#[tokio::test]
async fn a_statement_is_whole_or_nothing_and_changes_nothing_twice() {
    for (setting, _) in each().await {
        claimed(&setting, 1).await;
        let code = reference(1).to_string();
        let rows = [("S1", FINE, code.as_str()), ("S2", 5, "la"), ("S3", -9, "phi")];
        let done = import(&setting, &csv(&rows)).await.unwrap();
        let new =
            Imported { matched: 1, unmatched: 1, settled: 1, outgoing: 1, ..Imported::default() };
        assert_eq!(done, new);
        let done = import(&setting, &csv(&rows)).await.unwrap();
        assert_eq!(done, Imported { known: 2, outgoing: 1, ..Imported::default() });
        // What a notification told before is known, too; another amount under its number is not.
        notify(&setting, &incoming("S4", 6, DUE, "x")).await.unwrap();
        let done = import(&setting, &csv(&[("S4", 6, "anders"), ("S5", 8, "")])).await.unwrap();
        assert_eq!((done.known, done.unmatched), (1, 1));
        let before = audited(&setting, "payment.unmatched").await;
        let refused = import(&setting, &csv(&[("S6", 1, ""), ("S2", 6, "la")])).await.unwrap_err();
        assert!(refused.to_string().contains("line 3: the bank's number"), "{refused}");
        assert_eq!(audited(&setting, "payment.unmatched").await, before, "not half a file");
        assert!(import(&setting, "a,b\n").await.is_err());
        balanced(&setting).await;
    }
}

#[tokio::test]
async fn news_at_once_counts_once() {
    for (setting, _) in each().await {
        let setting = std::sync::Arc::new(setting);
        let claim = claimed(&setting, 1).await;
        setting.clock.advance(time::Duration::minutes(30));
        let other = claimed(&setting, 2).await;
        let (one, two) = (reference(1).to_string(), reference(2).to_string());
        let mut rows = vec![("S1", FINE, one.as_str()), ("S2", FINE, two.as_str())];
        let text = csv(&rows);
        rows.reverse();
        let turned = csv(&rows);
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..12 {
            let (setting, claim) = (setting.clone(), claim.clone());
            let (text, turned, one) = (text.clone(), turned.clone(), one.clone());
            tasks.spawn(async move {
                match number % 4 {
                    0 => assert!(import(&setting, &text).await.is_ok()),
                    1 => assert!(import(&setting, &turned).await.is_ok()),
                    2 => {
                        let paid = incoming("S1", FINE, date!(2026 - 11 - 20), &one);
                        notify(&setting, &paid).await.unwrap();
                    }
                    // A decision is being changed meanwhile.
                    _ => {
                        let (law, now) = (&setting.state.law, setting.clock.now());
                        let mut tx = setting.state.store.begin().await.unwrap();
                        let fine = FINE - 1 - i64::from(number);
                        let by = (By::System, WHY);
                        match payment::change(&mut tx, law, &claim, fine, by, now).await {
                            Ok(_) => tx.commit().await.unwrap(),
                            // Another one has reduced it further already.
                            Err(PaymentError::Raised) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        let row = find(&setting, &claim).await;
        assert_eq!((row.paid, row.fine, row.excess), (FINE, FINE - 12, 12));
        assert_eq!(find(&setting, &other).await.paid, FINE);
        assert_eq!(audited(&setting, "payment.settled").await, 2);
        balanced(&setting).await;
    }
}
