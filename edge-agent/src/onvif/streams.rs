//! Where a camera's streams are, asked at every connection: a camera that gives them other addresses
//! after an update, or has another address itself behind the same name, goes on by itself.

use std::sync::Arc;
use std::time::Duration;

use super::device::{date_and_time, services};
use super::media::Media;
use super::session::Session;
use super::{OnvifError, Setting};
use crate::clock::System;
use crate::source::{Address, Login};

/// Longer than that no camera is waited for in all.
const WHOLE: Duration = Duration::from_secs(15);

/// The addresses of the streams that a configuration asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Streams {
    pub main: Address,
    pub small: Option<Address>,
}

/// Asks, and waits for the answers: for a camera's own thread.
pub fn streams(setting: &Setting, login: Option<&Login>) -> Result<Streams, OnvifError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| OnvifError::Client(error.to_string()))?;
    let late = || OnvifError::Timeout { address: setting.device.to_string(), waited: WHOLE };
    runtime.block_on(async {
        tokio::time::timeout(WHOLE, ask(setting, login)).await.map_err(|_| late())?
    })
}

async fn ask(setting: &Setting, login: Option<&Login>) -> Result<Streams, OnvifError> {
    let clock = Arc::new(System::default());
    let mut session = Session::new(setting.device.clone(), login.cloned(), clock)?;
    introduce(&mut session).await?;
    let services = services(&mut session).await?;
    let media = Media::of(&mut session, &services).await?;
    let problem = |problem| OnvifError::Profile { address: setting.device.to_string(), problem };
    let main = media.main(setting.profile.as_deref()).map_err(problem)?.clone();
    let small = match setting.subprofile.as_deref() {
        Some(name) => Some(media.named(name).map_err(problem)?.clone()),
        None => None,
    };
    let main = media.stream(&mut session, &main).await?;
    let small = match small {
        Some(small) => Some(media.stream(&mut session, &small).await?),
        None => None,
    };
    Ok(Streams { main, small })
}

/// The first question, which needs no login: the camera's time, by which it checks one.
pub(super) async fn introduce(session: &mut Session) -> Result<(), OnvifError> {
    let now = session.clock().now();
    match date_and_time(session).await {
        Ok(told) => session.differs(told.utc - now),
        // It answers, but does not tell: only where it then refuses a login does that matter.
        Err(
            OnvifError::Fault { .. } | OnvifError::Unauthorized { .. } | OnvifError::Clock { .. },
        ) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}
