//! The technician's page: draws a camera's junction, lanes, lamps and zones over its live picture,
//! says at once what the configuration's reader complains of, tries the drawing on the last minutes of
//! traffic and writes it into the site file. The running agent is not touched: it follows its files.
//!
//! - [`shapes`]: what may be drawn, one row a thing; the page builds itself from it.
//! - [`document`]: the commented site file, read and written.
//! - [`live`] and [`trial`]: the camera's pictures, and the rules on those that were kept.
//! - [`session`] and [`guard`]: who may use it.
//! - [`desk`]: what the page asks for.

mod desk;
pub mod document;
mod guard;
pub mod live;
pub mod session;
pub mod shapes;
pub mod trial;
mod value;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::header;
use axum::routing::{MethodRouter, get, post};
use axum::{Router, middleware};
use listen::{Bounds, Listener};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, System};
use crate::config::{self, ConfigErrors};
use crate::watch::eyes::{Eyes, Pool};
use desk::Desk;
use session::{Password, PasswordError, Sessions};

/// What open requests have to finish in.
const GRACE: Duration = Duration::from_secs(2);
/// A drawing is some kilobytes.
const MOST_BYTES: usize = 256 * 1024;

/// Why the page cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum CalibrateError {
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    #[error(
        "the configuration has no [[camera]]: write one with id, uri, place, direction and plan"
    )]
    NoCamera,
    #[error("the configuration has no camera {wanted:?}, only: {}", known.join(", "))]
    NoSuchCamera { wanted: String, known: Vec<String> },
    #[error("--input stands for one camera: say with --camera which of {}", .0.join(", "))]
    WhichCamera(Vec<String>),
    #[error(
        "--listen {0} can be reached from other machines, and the password would cross the network \
         unencrypted: leave it on 127.0.0.1 and use `ssh -L 8090:127.0.0.1:8090 BOX`, or say \
         --beyond-this-box"
    )]
    Beyond(SocketAddr),
    #[error("--listen {address}: {source}; choose a free port")]
    Bind { address: SocketAddr, source: std::io::Error },
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error("the words of the page are damaged: {0}")]
    Words(String),
}

/// The command's own arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Where the page is served.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    pub listen: SocketAddr,
    /// Serve it to other machines too. The password then crosses the network unencrypted.
    #[arg(long)]
    pub beyond_this_box: bool,
    /// Name by which the page is opened, where that is neither an address nor localhost; repeatable.
    #[arg(long = "name", value_name = "HOST")]
    pub names: Vec<String>,
    /// File with the password in its first line, readable by you alone. Without: the variable
    /// EDGE_CALIBRATE_PASSWORD.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// A recording instead of the camera, to try it out.
    #[arg(long, value_name = "CLIP")]
    pub input: Option<PathBuf>,
    /// Camera that the recording stands for, where the configuration has several.
    #[arg(long, value_name = "ID", requires = "input")]
    pub camera: Option<String>,
}

/// The page, bound but not yet served.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    router: Router,
}

impl Server {
    /// Without `eyes` there is a picture and no trial.
    pub async fn bind<E: Eyes>(
        args: &Args,
        files: &[PathBuf],
        eyes: Option<Arc<Pool<E>>>,
    ) -> Result<Self, CalibrateError> {
        if !args.listen.ip().is_loopback() && !args.beyond_this_box {
            return Err(CalibrateError::Beyond(args.listen));
        }
        let password = Password::find(args.password_file.as_deref())?;
        let clock: Arc<dyn Clock> = Arc::new(System::default());
        // Complaints are what the page is for.
        let (agent, _) = config::sketch(&config::read(files)?)?;
        let known: Vec<String> = agent.cameras.iter().map(|camera| camera.id.clone()).collect();
        if known.is_empty() {
            return Err(CalibrateError::NoCamera);
        }
        let played = match (&args.input, &args.camera, known.as_slice()) {
            (None, ..) => None,
            (Some(clip), None, [only]) => Some((only.clone(), clip.clone())),
            (Some(_), None, _) => return Err(CalibrateError::WhichCamera(known)),
            (Some(clip), Some(wanted), _) if known.contains(wanted) => {
                Some((wanted.clone(), clip.clone()))
            }
            (Some(_), Some(wanted), _) => {
                return Err(CalibrateError::NoSuchCamera { wanted: wanted.clone(), known });
            }
        };
        let sessions = Sessions::new(password, Arc::clone(&clock));
        let guard = Arc::new(guard::Guard::new(sessions, args.names.clone()));
        let played = played.map(|(id, clip)| (id, clip, OffsetDateTime::now_utc()));
        let desk = Arc::new(Desk::new(files.to_vec(), agent, eyes, played)?);
        let address = args.listen;
        let listener = Listener::bind("calibrate", address, Bounds::default())
            .await
            .map_err(|source| CalibrateError::Bind { address, source })?;
        Ok(Self { listener, router: router(desk, guard) })
    }

    /// Where it listens; tells the port where 0 was asked for.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.address()
    }

    pub async fn run(self, stop: CancellationToken) {
        self.listener.serve(self.router, stop, GRACE).await;
    }
}

/// Says where the page is and serves it until the process is asked to stop.
pub async fn run<E: Eyes>(
    args: &Args,
    files: &[PathBuf],
    eyes: Option<Arc<Pool<E>>>,
) -> anyhow::Result<()> {
    let server = Server::bind(args, files, eyes).await?;
    let address = server.address()?;
    println!("http://{address}/  (Ctrl-C ends it)");
    if !address.ip().is_loopback() {
        eprintln!(
            "warning: {address} can be reached from other machines and is not encrypted: whoever \
             listens on the way reads the password. Use it on a network of your own, and not for long"
        );
    }
    let stop = CancellationToken::new();
    let served = tokio::spawn(server.run(stop.clone()));
    asked_to_stop().await?;
    stop.cancel();
    Ok(served.await?)
}

async fn asked_to_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}

const SCRIPT: &str = concat!(
    include_str!("page/words.js"),
    include_str!("page/picture.js"),
    include_str!("page/panel.js"),
    include_str!("page/main.js"),
);

/// One of the page's own files.
fn text<S: Clone + Send + Sync + 'static>(
    kind: &'static str,
    body: &'static str,
) -> MethodRouter<S> {
    get(move || async move { ([(header::CONTENT_TYPE, kind)], body) })
}

fn router<E: Eyes>(desk: Arc<Desk<E>>, guard: Arc<guard::Guard>) -> Router {
    let asked = Router::new()
        .route("/", text("text/html; charset=utf-8", include_str!("page/page.html")))
        .route("/api/table", get(desk::table::<E>))
        .route("/api/camera/{id}", get(desk::opened::<E>))
        .route("/api/camera/{id}/live", get(desk::view::<E>))
        .route("/api/camera/{id}/picture", get(desk::picture::<E>))
        .route("/api/camera/{id}/again", post(desk::again::<E>))
        .route("/api/camera/{id}/check", post(desk::check::<E>))
        .route("/api/camera/{id}/save", post(desk::save::<E>))
        .route("/api/camera/{id}/trial", get(desk::trial::<E>).post(desk::try_it::<E>))
        .route("/api/camera/{id}/trial/{number}", get(desk::trial_picture::<E>))
        .with_state(desk)
        .layer(middleware::from_fn_with_state(Arc::clone(&guard), guard::signed_in));
    let doors = Router::new()
        .route("/login", get(guard::login_page).post(guard::log_in))
        .route("/logout", post(guard::log_out))
        .with_state(Arc::clone(&guard));
    asked
        .merge(doors)
        .route("/page.js", text("text/javascript; charset=utf-8", SCRIPT))
        .route("/page.css", text("text/css; charset=utf-8", include_str!("page/page.css")))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(middleware::from_fn_with_state(guard, guard::everyone))
}
