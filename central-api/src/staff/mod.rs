//! The officers' pages and their JSON API: sign-in, queue, case, decision, notice.

mod again;
mod api;
mod boxes;
mod case_page;
mod decision;
mod history;
mod jobs;
mod known_browser;
mod media;
mod owner;
mod package_view;
mod queue;
mod recheck;
mod session;
mod sign_in;
mod signature;

pub use session::{ApiOfficer, Officer};

use axum::Router;
use axum::routing::{get, post};
use utoipa_axum::router::OpenApiRouter;

use crate::AppState;
use crate::web;

/// Every route of the officers, pages and API.
pub fn router() -> Router<AppState> {
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
        .route("/cong-viec", get(jobs::list))
        .route("/cong-viec/{id}/thu-lai", post(jobs::again))
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
