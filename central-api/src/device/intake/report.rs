//! A box says how it is: kept until it says so again.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use contract::report::{MAX_REPORT_BYTES, Report};

use super::guard::read_body;
use super::{Caller, Intake, IntakeError};
use crate::device::fleet;

pub(super) async fn report(
    State(intake): State<Intake>,
    axum::Extension(caller): axum::Extension<Caller>,
    request: Request,
) -> Result<StatusCode, IntakeError> {
    let body = read_body(request, MAX_REPORT_BYTES).await?;
    let report: Report = serde_json::from_slice(&body)
        .map_err(|e| IntakeError::BadRequest(format!("the body must be a report: {e}")))?;
    report.check().map_err(IntakeError::BadRequest)?;
    let now = intake.app.clock.now();
    fleet::note(&intake.app.store, &caller.device_id, now, &report).await?;
    Ok(StatusCode::NO_CONTENT)
}
