//! Who may try how often: officers of one office, guessers from many addresses, look-ups with an
//! invented X-Forwarded-For.

use std::sync::Arc;

use axum::http::StatusCode;
use central_api::admin::users::Role;
use central_api::config::Config;

use crate::setting::browserless::Visitor;
use crate::setting::{PASSWORD, Setting};

const WRONG: &str = "sai mật khẩu rồi";

fn configure(setting: &mut Setting, change: impl FnOnce(&mut Config)) {
    change(Arc::get_mut(&mut setting.state.config).expect("nobody else has it yet"));
}

#[tokio::test]
async fn seventy_right_sign_ins_of_one_office_are_seventy() {
    let setting = Setting::new().await;
    setting.user("an", &[Role::Reviewer]).await;
    for number in 0..70 {
        let answer = Visitor::new(&setting.state).sign_in("an", PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "number {number}");
    }
}

#[tokio::test]
async fn failures_of_one_office_still_pause_it() {
    let setting = Setting::new().await;
    setting.user("an", &[Role::Reviewer]).await;
    let mut statuses = Vec::new();
    for number in 0..60 {
        let login = format!("nobody-{number}");
        statuses.push(Visitor::new(&setting.state).sign_in(&login, WRONG).await.status);
    }
    assert!(statuses[..50].iter().all(|status| *status == StatusCode::UNAUTHORIZED));
    assert!(statuses[50..].iter().all(|status| *status == StatusCode::TOO_MANY_REQUESTS));
}

#[tokio::test]
async fn guesses_at_one_login_from_everywhere_pause_and_its_officer_works_on() {
    let setting = Setting::new().await;
    setting.user("an", &[Role::Reviewer]).await;
    let mut own = Visitor::officer(&setting.state, "an").await;
    let guess = async |number: u8| {
        let mut stranger = Visitor::new(&setting.state);
        stranger.address = [198, 51, 100, number].into();
        stranger.sign_in("an", WRONG).await.status
    };
    let mut looked_at = 0;
    for number in 0..30 {
        looked_at += u8::from(guess(number).await == StatusCode::UNAUTHORIZED);
    }
    assert_eq!(looked_at, 20, "four times login_attempts");
    // Not even the right password helps a stranger now, the officer's own browser signs in.
    let mut stranger = Visitor::new(&setting.state);
    stranger.address = [198, 51, 100, 99].into();
    let paused = stranger.sign_in("an", PASSWORD).await;
    assert_eq!(paused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(own.sign_in("an", PASSWORD).await.status, StatusCode::SEE_OTHER);
    // From anywhere, once the pause is over.
    setting.clock.advance(time::Duration::minutes(16));
    assert_eq!(stranger.sign_in("an", PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_known_browser_has_no_more_guesses_than_others_and_none_at_another_login() {
    let setting = Setting::new().await;
    for login in ["an", "binh"] {
        setting.user(login, &[Role::Reviewer]).await;
    }
    let mut visitor = Visitor::officer(&setting.state, "an").await;
    for login in ["an", "binh"] {
        for _ in 0..5 {
            let wrong = visitor.sign_in(login, WRONG).await;
            assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "{login}");
        }
        let sixth = visitor.sign_in(login, PASSWORD).await;
        assert_eq!(sixth.status, StatusCode::TOO_MANY_REQUESTS, "{login}");
    }
}

#[tokio::test]
async fn an_invented_forwarding_header_gives_no_look_ups() {
    for proxies in [&[][..], &["10.0.0.0/24"]] {
        let mut setting = Setting::new().await;
        configure(&mut setting, |config| {
            config.web.behind_proxy = true;
            config.web.trusted_proxies = proxies.iter().map(|text| text.parse().unwrap()).collect();
        });
        let mut answered = 0;
        for number in 0..60 {
            let mut visitor = Visitor::new(&setting.state);
            visitor.forwarded = Some(format!("198.51.100.{number}"));
            let answer = visitor.look_up("29A12345", "1").await;
            answered += u32::from(answer.status == StatusCode::OK);
        }
        assert_eq!(answered, setting.state.config.lookup.requests_per_minute, "{proxies:?}");
    }
}

#[tokio::test]
async fn visitors_behind_a_trusted_proxy_are_told_apart() {
    let mut setting = Setting::new().await;
    configure(&mut setting, |config| {
        config.web.behind_proxy = true;
        config.web.trusted_proxies = vec!["10.0.0.0/24".parse().unwrap()];
    });
    let ask = async |forwarded: String| {
        let mut visitor = Visitor::new(&setting.state);
        visitor.address = [10, 0, 0, 5].into();
        visitor.forwarded = Some(forwarded);
        visitor.look_up("29A12345", "1").await.status
    };
    for number in 0..40 {
        assert_eq!(ask(format!("198.51.100.{number}")).await, StatusCode::OK);
    }
    // One of them, inventing predecessors, and all addresses of an IPv6 customer, are one client.
    let mut answered = [0; 2];
    for number in 0..30 {
        let invented = ask(format!("192.0.2.{number}, 203.0.113.9")).await;
        answered[0] += u32::from(invented == StatusCode::OK);
        let moving = ask(format!("2001:db8:5:5::{number:x}")).await;
        answered[1] += u32::from(moving == StatusCode::OK);
    }
    assert_eq!(answered, [setting.state.config.lookup.requests_per_minute; 2]);
}
