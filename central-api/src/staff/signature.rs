//! What a case's page says of its notice's electronic signature.

use crate::AppState;
use crate::case::Case;
use crate::documents::{self, Document};
use crate::web::{Words, format};

/// One line of the page.
pub(super) struct SignatureLine {
    pub text: String,
    pub holds: bool,
}

/// A line for each signature, one where the notice has none. The file is read when it is looked at for the
/// first time; one that cannot be read, or was exchanged since, says so when it is fetched.
pub(super) async fn lines(
    state: &AppState,
    case: &Case,
    notice: Option<&Document>,
    w: &Words,
) -> Vec<SignatureLine> {
    let Some(notice) = notice else { return Vec::new() };
    let found = match state.signing.known(&notice.sha256) {
        Some(found) => found,
        None => {
            let Ok(pdf) = documents::read(state, case, notice).await else { return Vec::new() };
            state.signing.check_known(&notice.sha256, &pdf)
        }
    };
    let line = |text: String, holds| SignatureLine { text, holds };
    match found {
        Err(error) => vec![line(w.with("case.signature_broken", "problem", error), false)],
        Ok(found) if found.is_empty() => vec![line(w.t("case.signature_none").into(), true)],
        Ok(found) => found
            .iter()
            .map(|signature| {
                let at = format::second(signature.at);
                let text = match &signature.stamp {
                    Some(stamp) => w.with("case.signature_stamped", "server", &stamp.by.name),
                    None => w.t("case.signature").into(),
                };
                let text = text.replace("{at}", &at).replace("{by}", &signature.by.name);
                line(text, true)
            })
            .collect(),
    }
}
