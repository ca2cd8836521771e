//! A case as it stands in the end, held against its life.

use central_api::case;
use central_api::clock::Clock as _;
use central_api::law::{Term, VIETNAM};
use central_api::proceedings::warning::{self, Cause};
use central_api::proceedings::{decision, minutes, payment, row};
use sqlx::Row as _;
use time::{Duration, OffsetDateTime};

use super::life::{Amount, Life, Money, Terms, Warned};
use crate::setting::Setting;

/// Adds to `wrong` whatever differs.
pub async fn against(setting: &Setting, life: &Life, id: &str, wrong: &mut Vec<String>) {
    let state = &setting.state;
    let store = &state.store;
    let mut differ = |what: &str, found: &dyn std::fmt::Debug, by_hand: &dyn std::fmt::Debug| {
        let (found, by_hand) = (format!("{found:?}"), format!("{by_hand:?}"));
        if found != by_hand {
            wrong.push(format!("{:?}: {what} is {found}, by hand {by_hand}", life.what));
        }
    };
    let case = case::find(store, id).await.unwrap().unwrap();
    let decision: Option<decision::Row> = row::find(store, id).await.unwrap();
    let decision = decision.map(|row| row.content);
    let minutes: Option<minutes::Row> = row::find(store, id).await.unwrap();
    let mut view = store.pool().acquire().await.unwrap();
    let claims = payment::of_case(&mut view, id).await.unwrap();
    drop(view);
    let warnings = warning::of_case(store, id).await.unwrap();

    let issued = decision.as_ref().filter(|it| it.issued.is_some());
    let mut end = vec![case.state.name().to_owned()];
    end.extend(issued.map(|it| it.state.name().to_owned()));
    end.extend(claims.last().map(|it| case::name_of(&it.state)));
    differ("the end", &end.join(" "), &life.end);

    let law = case.law.as_ref().map(|law| {
        let point = law.point.iter().map(|point| format!(".{point}")).collect::<String>();
        let number = |decree: &String| decree.split('/').next().unwrap().to_owned();
        let decrees: Vec<_> =
            std::iter::once(&law.decree).chain(&law.amended_by).map(number).collect();
        (
            format!("{}.{}{point}", law.article, law.clause),
            decrees.join("+"),
            [law.fine_min, law.fine_max],
            law.points,
        )
    });
    let by_hand =
        life.law.as_ref().map(|it| (it.place.clone(), it.decree.clone(), it.fine, it.points));
    differ("the provision", &law, &by_hand);

    if let Some(terms) = &life.terms {
        let shown = warnings.iter().find(|it| it.cause == Cause::NoShow);
        let no_show = shown.map(|it| state.law.end(Term::NoShow, it.runs_from).unwrap().latest);
        let found = minutes.as_ref().map(|row| &row.content);
        let waived = found.and_then(|it| it.explanation.as_ref());
        let waived = waived.is_some_and(|it| it.way == minutes::Way::Waived);
        let explain = found
            .filter(|_| !waived)
            .zip(case.law.as_ref())
            .and_then(|(it, law)| it.explains_until(&state.law, law, case.act_at).unwrap());
        let found = Terms {
            notice: day(case.notice_due.unwrap()),
            limitation: day(state.law.limitation(case.act_at).unwrap()),
            no_show: no_show.map(day),
            explain: explain.map(day),
            decide: found.map(|it| day(it.decision_until(&state.law).unwrap())),
            pay: claims.last().and_then(|it| it.due).map(|due| due.to_string()),
        };
        differ("terms", &found, terms);
    }
    let amount = issued
        .map(|it| Amount { amount: it.proposal.amount, points: it.proposal.provision.points });
    differ("the decision", &amount, &life.decision);
    let sum = |of: fn(&payment::ClaimRow) -> i64| claims.iter().map(of).sum();
    let money = Money {
        paid: sum(|it| it.paid),
        surcharge: sum(|it| it.surcharge),
        refunded: sum(|it| it.refunded),
    };
    differ("money", &money, &life.money);
    if claims.iter().any(|it| it.excess > 0) {
        differ("excess", &claims.iter().map(|it| it.excess).collect::<Vec<_>>(), &0);
    }
    let of = |cause| {
        let warning = warnings.iter().find(|it| it.cause == cause)?;
        warning.warned_at.map(day)
    };
    let warned = Warned { no_show: of(Cause::NoShow), unpaid: of(Cause::Unpaid) };
    differ("warned", &warned, &life.warned);
    let lifted = warnings.iter().max_by_key(|it| it.cleared_at).and_then(|it| it.why.clone());
    // Who pays before the decision reaches them has no warning of it that could be cleared.
    let ran = warnings.iter().any(|it| it.cause == Cause::Unpaid);
    if ran || life.cleared.as_deref() != Some("paid") {
        differ("cleared", &lifted, &life.cleared);
    }
    if let Some(closed) = &life.closed {
        let row =
            sqlx::query("SELECT at FROM audit WHERE subject_id = $1 AND action = 'case.expire'")
                .bind(id.to_owned())
                .fetch_optional(store.pool())
                .await
                .unwrap();
        let at = row
            .map(|row| row.get::<i64, _>(0))
            .map(|ms| day(OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(ms)));
        differ("closed", &at, &Some(closed));
    }
    // The clock is past every term: nothing is left that still runs.
    assert!(setting.clock.now() > case.act_at + Duration::days(365), "the year is not over");
}

fn day(at: OffsetDateTime) -> String {
    at.to_offset(VIETNAM).date().to_string()
}
