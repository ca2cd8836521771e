//! One connection from its handshake to its end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::pace::Pace;
use crate::room::Seat;
use crate::{Bounds, PeerCertificate};

/// Head of a request at most, bytes.
const MAX_HEAD: u32 = 64 * 1024;
/// HTTP/2: a ping after this much silence, and the answer's time.
const PING_AFTER: Duration = Duration::from_secs(20);
const PING_ANSWER: Duration = Duration::from_secs(10);
/// HTTP/2: streams opened and reset again before the connection is a nuisance.
const MAX_RESETS: usize = 20;
/// What a connection that is being closed has for saying good-bye.
const FAREWELL: Duration = Duration::from_secs(1);

/// What all connections of a listener share.
pub(crate) struct Host {
    name: &'static str,
    tls: Option<TlsAcceptor>,
    bounds: Bounds,
    router: Router,
    stop: CancellationToken,
    http: Builder<TokioExecutor>,
}

impl Host {
    pub fn new(
        name: &'static str,
        tls: Option<TlsAcceptor>,
        bounds: Bounds,
        router: Router,
        stop: CancellationToken,
    ) -> Self {
        let mut http = Builder::new(TokioExecutor::new());
        // Time is kept by `Pace`, for both protocols alike.
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .max_buf_size(MAX_HEAD as usize);
        http.http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_AFTER)
            .keep_alive_timeout(PING_ANSWER)
            .max_concurrent_streams(bounds.streams)
            .max_header_list_size(MAX_HEAD)
            .max_pending_accept_reset_streams(MAX_RESETS);
        Self { name, tls, bounds, router, stop, http }
    }

    pub async fn receive(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, seat: Seat) {
        // Small answers go out at once; failing to set this costs time only.
        let _ = stream.set_nodelay(true);
        tokio::select! {
            biased;
            () = seat.leave.cancelled() => {}
            () = self.handshake(stream, peer, &seat) => {}
        }
    }

    async fn handshake(&self, stream: TcpStream, peer: SocketAddr, seat: &Seat) {
        let Some(tls) = &self.tls else { return self.speak(stream, peer, None, seat).await };
        let stream = match tokio::time::timeout(self.bounds.handshake, tls.accept(stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::debug!(listener = self.name, %error, "no TLS handshake");
                return self.count("listener_handshake_failures_total");
            }
            Err(_) => return self.count("listener_timeouts_total"),
        };
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let certificate =
            shown.map(|certificate| PeerCertificate(certificate.clone().into_owned()));
        if let Some(PeerCertificate(der)) = &certificate
            && !seat.place().identify(der.to_vec())
        {
            return;
        }
        self.speak(stream, peer, certificate, seat).await;
    }

    async fn speak<S>(
        &self,
        stream: S,
        peer: SocketAddr,
        certificate: Option<PeerCertificate>,
        seat: &Seat,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let pace = Arc::new(Pace::new(self.bounds, seat.place()));
        let service = hyper::service::service_fn(|mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            if let Some(certificate) = &certificate {
                request.extensions_mut().insert(certificate.clone());
            }
            answer(self.router.clone(), request, Arc::clone(&pace))
        });
        let io = TokioIo::new(Paced { stream, pace: Arc::clone(&pace) });
        let mut connection = pin!(self.http.serve_connection(io, service));
        let late = tokio::select! {
            // Errors here are the client's: broken off, or no HTTP.
            _ = connection.as_mut() => return,
            () = pace.outstayed() => true,
            () = self.stop.cancelled() => false,
        };
        connection.as_mut().graceful_shutdown();
        if late {
            self.count("listener_timeouts_total");
            let _ = tokio::time::timeout(FAREWELL, connection).await;
            return;
        }
        tokio::select! {
            _ = connection => {}
            () = pace.outstayed() => {}
        }
    }

    fn count(&self, metric: &'static str) {
        metrics::counter!(metric, "listener" => self.name).increment(1);
    }
}

async fn answer(
    router: Router,
    request: Request<Incoming>,
    pace: Arc<Pace>,
) -> Result<Response<Body>, Infallible> {
    let visit = Arc::new(Visit { id: pace.begin(), pace });
    let request = request.map(|body| Received::new(body, Arc::clone(&visit)));
    let response = router.oneshot(request).await?;
    Ok(response.map(|body| Body::new(Sent { body, _visit: visit })))
}

/// A request that is open: from its head to the end of its answer.
struct Visit {
    id: u64,
    pace: Arc<Pace>,
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.pace.end(self.id);
    }
}

/// A request's body; once it is read, or nobody wants to read it, the request is whole.
struct Received {
    body: Incoming,
    visit: Arc<Visit>,
}

impl Received {
    fn new(body: Incoming, visit: Arc<Visit>) -> Self {
        if body.is_end_stream() {
            visit.pace.whole();
        }
        Self { body, visit }
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        self.visit.pace.whole();
    }
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.visit.pace.whole();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body: the visit lasts as long as it does.
struct Sent {
    body: Body,
    _visit: Arc<Visit>,
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that tells when bytes move.
struct Paced<S> {
    stream: S,
    pace: Arc<Pace>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.pace.moved();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.pace.moved();
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, parts))?;
        self.pace.moved();
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
