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

/// A line for each signature, one where the notice has none. A file that cannot be read says so when it
/// is fetched.
pub(super) async fn lines(
    state: &AppState,
    case: &Case,
    notice: Option<&Document>,
    w: &Words,
) -> Vec<SignatureLine> {
    let Some(notice) = notice else { return Vec::new() };
    let Ok(pdf) = documents::read(state, case, notice).await else { return Vec::new() };
    let line = |text: String, holds| SignatureLine { text, holds };
    match state.signing.check(&pdf) {
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
