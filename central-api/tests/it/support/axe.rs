//! Pages held against the rules for who cannot see them or use a mouse (WCAG), by axe-core: fetched by
//! deploy/setup.sh into `.page-checker`, not ours.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use fantoccini::Client;
use serde_json::Value;

static SCRIPT: LazyLock<Option<String>> = LazyLock::new(|| {
    if std::env::var_os("SKIP_PAGE_CHECKER").is_some() {
        println!("skipped: SKIP_PAGE_CHECKER is set");
        return None;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.page-checker/lib");
    let versions = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let place = |python: PathBuf| python.join("site-packages/axe_core_python/axe.min.js");
    let found = versions.map(|python| place(python.path())).find(|path| path.is_file());
    let path = found.expect("axe-core in .page-checker: deploy/setup.sh --test fetches it");
    Some(std::fs::read_to_string(path).unwrap())
});

/// Asserts that the page called `name`, as it stands in `browser`, has no fault that it knows.
pub async fn check(browser: &Client, name: &str) {
    let Some(script) = &*SCRIPT else { return };
    browser.execute(script, Vec::new()).await.unwrap();
    let run = "const done = arguments[0];
         axe.run(document, { resultTypes: ['violations'] }).then(found => done(found.violations
             .map(it => `${it.id}: ${it.help}: ` + it.nodes.map(node => node.html).join(' | '))),
             error => done([String(error)]));";
    let found = browser.execute_async(run, Vec::new()).await.unwrap();
    assert_eq!(found, Value::Array(Vec::new()), "{name}");
}
