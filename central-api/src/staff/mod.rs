//! The officers' pages and their JSON API: sign-in, queue, case, decision, notice.

mod again;
mod api;
mod boxes;
mod case_page;
mod decision;
mod delivery;
mod delivery_view;
mod history;
mod jobs;
mod known_browser;
mod media;
mod money;
mod order;
mod owner;
mod package_view;
mod queue;
mod recall;
mod recheck;
mod referral;
mod sanction;
mod sanctions;
mod session;
mod sign_in;
mod signature;
mod terms;

pub use session::{ApiOfficer, Officer};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use utoipa_axum::router::OpenApiRouter;

use crate::AppState;
use crate::proceedings::payment::statement;
use crate::web;

/// Every route of the officers, pages and API.
pub fn router() -> Router<AppState> {
    // The file, and what a form puts around it.
    let statement_bytes = DefaultBodyLimit::max(statement::MOST_BYTES + (64 << 10));
    let pages = Router::new()
        .route("/dang-nhap", get(sign_in::form).post(sign_in::submit))
        .route("/dang-xuat", post(sign_in::sign_out))
        .route("/xet-duyet", get(queue::review))
        .route("/phe-duyet", get(queue::approval))
        .route("/thiet-bi", get(boxes::list))
        .route("/thiet-bi/{id}", get(boxes::show))
        .route("/kiem-tra", get(recheck::list))
        .route("/chu-xe", get(owner::list))
        .route("/ho-so/{id}/chu-xe", post(owner::name))
        .route("/xu-phat", get(sanctions::list))
        .route("/ra-soat", get(recall::list).post(recall::open))
        .route("/ra-soat/{id}", get(recall::show).post(recall::settle))
        .route("/ho-so/{id}/bien-ban", post(sanction::draw))
        .route("/ho-so/{id}/giai-trinh", post(sanction::explain))
        .route("/ho-so/{id}/xu-phat", post(sanction::decide))
        .route("/ho-so/{id}/thi-hanh", post(order::decide))
        .route("/ho-so/{id}/chuyen", post(referral::decide))
        .route("/ho-so/{id}/van-ban/{name}", get(media::document))
        .route("/cong-viec", get(jobs::list))
        .route("/cong-viec/{id}/thu-lai", post(jobs::again))
        .route("/giao-nhan", get(delivery::list))
        .route("/giao-nhan/in", post(delivery::make))
        .route(
            "/giao-nhan/buu-gui",
            post(delivery::import).layer(DefaultBodyLimit::max(delivery::MOST_REQUEST)),
        )
        .route("/giao-nhan/{id}", get(delivery::show))
        .route("/giao-nhan/{id}/gui", post(delivery::post))
        .route("/giao-nhan/{id}/thu.pdf", get(delivery::pdf))
        .route("/giao-nhan/{id}/danh-sach.csv", get(delivery::csv))
        .route("/ho-so/{id}/giao-nhan", post(delivery_view::record))
        .route("/thoi-han", get(terms::list))
        .route("/tien", get(money::list))
        .route("/tien/sao-ke", post(money::statement).layer(statement_bytes))
        .route("/tien/khoan-thu/{id}", post(money::receipt))
        .route("/tien/thua/{claim}", post(money::excess))
        .route("/tien/hoan-tra/{id}", post(money::refund))
        .route("/tien/tep", post(money::export))
        .route("/tien/tep/{batch}", get(money::file))
        .route("/ho-so/{id}/vietqr.svg", get(money::code))
        .route("/ho-so", get(queue::all))
        .route("/ho-so/{id}", get(case_page::show))
        .route("/ho-so/{id}/quyet-dinh", post(decision::submit))
        .route("/ho-so/{id}/tep/{evidence}/{name}", get(media::file))
        .route("/ho-so/{id}/thong-bao.pdf", get(media::notice));
    web::secure(pages.merge(Router::from(api_router())))
}

/// The JSON API with its documentation.
pub fn api_router() -> OpenApiRouter<AppState> {
    api::router()
}
