//! What stands before every handler of the device API: who it is, how often, how long.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, BodyDataStream};
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::{Bytes, BytesMut};
use contract::Digest;
use contract::wire::CHUNK_BYTES;
use futures::StreamExt as _;
use listen::PeerCertificate;
use tokio::sync::{Mutex, watch};
use tracing::Instrument as _;

use super::{Caller, Intake, IntakeError};
use crate::device::enrol::{Standing, standing};

/// What a refused request may still send, and for how long.
const REST_BYTES: usize = 4 * CHUNK_BYTES as usize;
const REST_TIME: Duration = Duration::from_secs(2);

pub(super) async fn guard(State(intake): State<Intake>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = uuid::Uuid::new_v4().simple().to_string();
    let span = tracing::info_span!(
        "device_request",
        request_id,
        method = %request.method(),
        path = request.uri().path(),
        device = tracing::field::Empty,
    );
    let (request, inflow) = share_body(request);
    let response = async {
        let answer = admit(&intake, request, next);
        match inflow.in_time(intake.timeout, answer).await {
            Some(Ok(response)) => response,
            Some(Err(error)) => error.into_response(),
            None => IntakeError::Timeout.into_response(),
        }
    }
    .instrument(span.clone())
    .await;
    if !response.status().is_success() {
        inflow.take_rest().await;
    }
    let seconds = started.elapsed().as_secs_f64();
    metrics::histogram!("device_request_seconds").record(seconds);
    span.in_scope(|| {
        tracing::debug!(status = response.status().as_u16(), seconds, "device request answered");
    });
    response
}

async fn admit(intake: &Intake, mut request: Request, next: Next) -> Result<Response, IntakeError> {
    let PeerCertificate(peer) = request.extensions().get().ok_or(IntakeError::UnknownDevice)?;
    let device_id = match standing(&intake.app.store, Digest::of(peer)).await? {
        Standing::Enrolled { device_id } => device_id,
        Standing::Revoked { device_id } => return Err(IntakeError::RevokedDevice(device_id)),
        Standing::Unknown => return Err(IntakeError::UnknownDevice),
    };
    tracing::Span::current().record("device", device_id.as_str());
    intake.rate.take(&device_id, intake.app.clock.now()).map_err(|wait| {
        IntakeError::RateLimited { seconds: u64::try_from(wait.whole_seconds()).unwrap_or(0) + 1 }
    })?;
    let _place = intake.places.take(&device_id).ok_or(IntakeError::Busy)?;
    request.extensions_mut().insert(Caller { device_id });
    Ok(next.run(request).await)
}

/// A request's body on its way in.
struct Inflow {
    stream: Mutex<BodyDataStream>,
    /// When its last bytes came.
    moved: watch::Sender<Instant>,
}

/// Keeps hold of the body's stream, so that what a handler leaves unread can be taken.
fn share_body(request: Request) -> (Request, Arc<Inflow>) {
    let (parts, body) = request.into_parts();
    let stream = Mutex::new(body.into_data_stream());
    let inflow = Arc::new(Inflow { stream, moved: watch::Sender::new(Instant::now()) });
    let body = futures::stream::unfold(Arc::clone(&inflow), |inflow| async move {
        let part = inflow.stream.lock().await.next().await?;
        inflow.moved.send_replace(Instant::now());
        Some((part, inflow))
    });
    (Request::from_parts(parts, Body::from_stream(body)), inflow)
}

impl Inflow {
    /// What `answer` gives, unless that is not there `patience` after the last bytes came. A chunk may
    /// take minutes on a slow line, and the box would start it from the beginning again; how long the
    /// whole may take, and how long nothing, the listener knows.
    async fn in_time<T>(&self, patience: Duration, answer: impl Future<Output = T>) -> Option<T> {
        let mut answer = pin!(answer);
        loop {
            let due = *self.moved.borrow() + patience;
            if due <= Instant::now() {
                return None;
            }
            tokio::select! {
                given = &mut answer => return Some(given),
                () = tokio::time::sleep_until(due.into()) => {}
            }
        }
    }

    /// A box still sending when it is refused would see a broken pipe instead of the reason: take in
    /// a bounded rest and throw it away.
    async fn take_rest(&self) {
        let taking = async {
            let mut stream = self.stream.lock().await;
            let mut taken = 0;
            while let Some(Ok(part)) = stream.next().await {
                taken += part.len();
                if taken > REST_BYTES {
                    break;
                }
            }
        };
        // Whoever is slower than this hears of it by the closed connection.
        let _ = tokio::time::timeout(REST_TIME, taking).await;
    }
}

/// Reads a body of at most `limit` bytes, telling "too large" from "broken off".
pub(super) async fn read_body(request: Request, limit: usize) -> Result<Bytes, IntakeError> {
    let announced: Option<u64> = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse().ok());
    if announced.is_some_and(|bytes| bytes > limit as u64) {
        return Err(IntakeError::TooLarge { limit });
    }
    let mut stream = request.into_body().into_data_stream();
    let mut body = BytesMut::new();
    while let Some(part) = stream.next().await {
        let part = part.map_err(|_| IntakeError::Truncated {
            expected: announced.unwrap_or(0),
            found: body.len() as u64,
        })?;
        if body.len() + part.len() > limit {
            return Err(IntakeError::TooLarge { limit });
        }
        body.extend_from_slice(&part);
    }
    Ok(body.freeze())
}
