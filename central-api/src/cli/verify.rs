//! `central-api verify`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use central_api::config::Config;
use central_api::documents::sign::Signing;
use central_api::evidence::EvidenceStore;
use central_api::law;
use central_api::store::Store;
use central_api::verify::{Depth, Report, in_words, verify_package, verify_signed};
use clap::Args;
use contract::seal::VerifyingKey;

#[derive(Debug, Args)]
pub struct Verify {
    /// Folder of one evidence package.
    #[arg(long, value_name = "DIR", requires = "key", required_unless_present_any = ["store", "document"])]
    package: Option<PathBuf>,
    /// The device's public sealing key (seal.pub).
    #[arg(long, value_name = "FILE", requires = "package")]
    key: Option<PathBuf>,
    /// Everything in the database and the evidence store.
    #[arg(long, conflicts_with = "package")]
    store: bool,
    /// A signed PDF, by the roots of `[signing]`: who signed it and when, or what was changed.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["package", "store"])]
    document: Option<PathBuf>,
    /// Give every verdict again from what was sealed with it, and name what differs.
    #[arg(long)]
    judge: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let signing = Signing::open(&config.signing)?;
        if let Some(file) = &self.document {
            return document(file, &signing, self.json);
        }
        let depth = if self.judge { Depth::Verdicts } else { Depth::Seals };
        let report = match (&self.package, &self.key) {
            (Some(folder), Some(key)) => {
                let text = central_api::text_file::read(key)
                    .with_context(|| format!("failed to read {}", key.display()))?;
                let key = VerifyingKey::from_pem(&text)
                    .with_context(|| format!("{} is no sealing key", key.display()))?;
                verify_package(folder, &key, depth)
            }
            _ => {
                let database = &config.database;
                let store = Store::open_existing(&database.url, database.connections).await?;
                let evidence = EvidenceStore::open_folder(&config.evidence.folder)?;
                let book = law::book()?;
                let report = verify_signed(&store, &evidence, &book, depth, &signing).await?;
                store.close().await;
                report
            }
        };
        print(&report, self.json)?;
        Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn document(file: &Path, signing: &Signing, json: bool) -> anyhow::Result<ExitCode> {
    let pdf = std::fs::read(file).with_context(|| format!("failed to read {}", file.display()))?;
    let found = match signing.check(&pdf) {
        Ok(found) => found,
        Err(error) => {
            println!("FAILED {}: {error}", file.display());
            return Ok(ExitCode::FAILURE);
        }
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else if found.is_empty() {
        println!("{} is not signed", file.display());
    }
    for signature in found.iter().filter(|_| !json) {
        println!("OK: {}, whole", in_words(signature));
    }
    Ok(if found.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print(report: &Report, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(report)?);
        return Ok(());
    }
    for finding in &report.findings {
        println!("FAILED {}: {}", finding.subject, finding.problem);
    }
    for finding in report.judged.iter().flat_map(|judged| &judged.differing) {
        println!("DIFFERS {}: {}", finding.subject, finding.problem);
    }
    for gap in &report.settled {
        println!("SETTLED {}: {}", gap.subject, gap.problem);
    }
    let verdict = if report.ok { "OK" } else { "FAILED" };
    print!("{verdict}: {} packages, {} files", report.packages, report.files);
    if let Some(head) = &report.audit_head {
        print!(", {} audit rows ending in {head}", report.audit_rows);
    }
    if let Some(judged) = &report.judged {
        let (same, differing) = (judged.same, judged.differing.len());
        print!(", judged again: {same} the same, {differing} differences");
        if judged.without > 0 {
            print!(", {} packages of version 1 cannot be", judged.without);
        }
    }
    if let Some(signatures) = &report.signatures {
        print!(", {} documents signed, {} not", signatures.signed, signatures.unsigned);
    }
    if report.incomplete > 0 {
        print!(", {} packages still on their way", report.incomplete);
    }
    println!();
    Ok(())
}
