//! Workers: take jobs from the queue and carry them out. They run inside `serve`, or alone as
//! `central-api work`, as many on as many machines as wanted (with PostgreSQL).

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::AppState;
use crate::case;
use crate::documents::Kind;
use crate::jobs::{self, Done, Job, Taken};
use crate::notice::{self, IssueError};
use crate::proceedings::{
    PrintError, decision, delivery, minutes, order, owner, payment, referral, warning,
};
use crate::recall;
use crate::store::StoreError;
use crate::verify;

/// How long an idle worker waits for the bell before it looks by itself: jobs of other processes and
/// those that were put off ring none.
const LOOK: Duration = Duration::from_secs(2);
/// How long it leaves a database alone that does not answer.
const RECOVER: Duration = Duration::from_secs(5);

/// Works with `workers` at once until `stop`; each finishes the job it has.
pub async fn run(app: AppState, workers: u32, stop: CancellationToken) {
    if let Err(error) = begin(&app).await {
        tracing::error!(%error, "recurring jobs could not be asked for: start again");
    }
    let mut crew = JoinSet::new();
    for _ in 0..workers {
        crew.spawn(worker(app.clone(), stop.clone()));
    }
    while crew.join_next().await.is_some() {}
}

/// Asks for the jobs that recur, where they are not waiting already, and for the notices of approved
/// cases that nothing works at: approved by an older version, or while no registry was asked.
pub async fn begin(app: &AppState) -> Result<(), StoreError> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    for job in &jobs::RECURRING {
        jobs::begin(&mut tx, job, now).await?;
    }
    for case in case::left_approved(&mut tx).await? {
        jobs::ask(&mut tx, &case::after_approval(&app.config, case), now).await?;
    }
    Ok(tx.commit().await?)
}

async fn worker(app: AppState, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let pause = match next(&app).await {
            Ok(true) => continue,
            Ok(false) => LOOK,
            Err(error) => {
                tracing::warn!(%error, "the queue of jobs does not answer");
                RECOVER
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.bell.notified(), if pause == LOOK => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Carries out everything that is due now; returns how many attempts that took.
pub async fn work_off(app: &AppState) -> Result<u32, StoreError> {
    let mut attempts = 0;
    while next(app).await? {
        attempts += 1;
    }
    Ok(attempts)
}

/// One attempt at the job that is due longest; false where none is.
async fn next(app: &AppState) -> Result<bool, StoreError> {
    let Some(taken) = jobs::take(&app.store, app.clock.now()).await? else { return Ok(false) };
    let started = Instant::now();
    let name = taken.job.name();
    if taken.attempts > jobs::ATTEMPTS {
        // Whoever had it never came to say why it failed.
        let error = "its worker died or panicked at every attempt: see the log".to_owned();
        settle(app, &taken, Failure { error, hopeless: true }).await?;
        return Ok(true);
    }
    let (app, id) = (app.clone(), taken.id.clone());
    // In a task of its own: a job that panics takes no worker with it.
    let attempt = tokio::spawn(async move {
        let outcome = carry_out(&app, &taken).await;
        match outcome {
            Ok(_) => Ok(true),
            Err(failure) => settle(&app, &taken, failure).await.map(|()| false),
        }
    });
    match attempt.await {
        Ok(outcome) => {
            let result = if outcome? { "done" } else { "failed" };
            metrics::counter!("jobs_total", "job" => name, "result" => result).increment(1);
        }
        // Its lease runs out, then it is taken again, and given up when it does so every time.
        Err(error) => {
            metrics::counter!("jobs_total", "job" => name, "result" => "panicked").increment(1);
            tracing::error!(job = name, id, %error, "a job panicked");
        }
    }
    metrics::histogram!("job_seconds", "job" => name).record(started.elapsed().as_secs_f64());
    Ok(true)
}

/// Why an attempt failed, in words without personal data, and whether only people can help.
struct Failure {
    error: String,
    hopeless: bool,
}

async fn carry_out(app: &AppState, taken: &Taken) -> Result<Done, Failure> {
    match &taken.job {
        Job::ListRecall { recall, place } => {
            recall::list(app, taken, recall, place.as_ref()).await.map_err(Failure::again)
        }
        Job::JudgeRecall { recall } => {
            recall::judge(app, taken, recall).await.map_err(Failure::again)
        }
        Job::SettleRecall { recall } => {
            recall::carry_out(app, taken, recall).await.map_err(Failure::again)
        }
        Job::TraceEvidence { after } => {
            recall::trace(app, taken, after).await.map_err(Failure::again)
        }
        Job::ExpireCases => case::expire(app, taken).await.map_err(Failure::again),
        Job::IdentifyOwner { case } => {
            owner::identify(app, taken, case).await.map_err(Failure::again)
        }
        Job::IssueNotice { case } => notice::issue(app, taken, case).await.map_err(Failure::from),
        Job::PrintPaper { case, kind } => match kind {
            Kind::Minutes => minutes::print(app, taken, case).await,
            Kind::Decision => decision::issue(app, taken, case).await,
            Kind::Annulment => decision::annul(app, taken, case).await,
            Kind::Hearing => minutes::print_hearing(app, taken, case).await,
            Kind::Points => decision::print_points(app, taken, case).await,
            Kind::Deferral
            | Kind::Reduction
            | Kind::Exemption
            | Kind::Instalments
            | Kind::Amendment
            | Kind::Correction => order::issue(app, taken, case, *kind).await,
            Kind::Receipt => payment::print_slip(app, taken, case).await,
            Kind::Transfer | Kind::Slip => referral::print(app, taken, case, *kind).await,
            // It has a job of its own.
            Kind::Notice => taken.nothing_left(&app.store).await.map_err(PrintError::from),
        }
        .map_err(Failure::from),
        Job::PrintBatch { batch } => {
            delivery::print(app, taken, batch).await.map_err(Failure::again)
        }
        Job::SendWarnings => warning::warn(app, taken).await.map_err(Failure::again),
        Job::ExportWarnings => warning::export(app, taken).await.map_err(Failure::again),
        Job::CoverRecords { table, after } => {
            verify::cover(app, taken, *table, after).await.map_err(Failure::again)
        }
    }
}

impl Failure {
    /// Worth another attempt.
    fn again(error: impl std::fmt::Display) -> Self {
        Self { hopeless: false, error: error.to_string() }
    }
}

impl From<IssueError> for Failure {
    fn from(error: IssueError) -> Self {
        Self { hopeless: error.is_hopeless(), ..Self::again(error) }
    }
}

impl From<PrintError> for Failure {
    fn from(error: PrintError) -> Self {
        Self { hopeless: error.is_hopeless(), ..Self::again(error) }
    }
}

async fn settle(app: &AppState, taken: &Taken, failure: Failure) -> Result<(), StoreError> {
    let Failure { error, hopeless } = failure;
    let now = app.clock.now();
    let Some(dead) = jobs::put_off(&app.store, taken, &error, hopeless, now).await? else {
        return Ok(());
    };
    let (job, case, attempt) =
        (taken.job.name(), taken.job.case().unwrap_or_default(), taken.attempts);
    if dead {
        tracing::error!(job, case, attempt, error, "a job is given up: see /cong-viec");
    } else {
        tracing::warn!(job, case, attempt, error, "a job failed and is tried again");
    }
    Ok(())
}
