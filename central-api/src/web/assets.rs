//! Static files, embedded in the binary.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

const FILES: [(&str, &str, &[u8]); 6] = [
    ("app.css", "text/css; charset=utf-8", include_bytes!("../../web/static/app.css")),
    ("clip.js", "text/javascript; charset=utf-8", include_bytes!("../../web/static/clip.js")),
    ("keys.js", "text/javascript; charset=utf-8", include_bytes!("../../web/static/keys.js")),
    ("captcha.js", "text/javascript; charset=utf-8", include_bytes!("../../web/static/captcha.js")),
    (
        "captcha-worker.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../web/static/captcha-worker.js"),
    ),
    ("emblem.svg", "image/svg+xml", include_bytes!("../../web/static/emblem.svg")),
];

pub(super) async fn serve(Path(name): Path<String>) -> Response {
    match FILES.iter().find(|(file, _, _)| *file == name) {
        Some((_, media_type, content)) => {
            let headers =
                [(header::CONTENT_TYPE, *media_type), (header::CACHE_CONTROL, "max-age=3600")];
            (headers, *content).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
