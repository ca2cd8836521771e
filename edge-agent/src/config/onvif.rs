//! The keys of a camera that is asked for its streams, in place of their addresses.

use settings::Reader;

use crate::onvif::{Endpoint, Setting};

/// Beyond that difference a camera's clock is warned of. It tells whole seconds.
const CLOCK_WARN_MS: u64 = 2000;
/// The longest name of a profile, by the standard, is 64.
const MAX_NAME: usize = 64;

/// `onvif` and what belongs to it.
pub fn setting(table: &Reader<'_>) -> Option<Setting> {
    let told = table.opt_text("onvif");
    let (profile, subprofile) = (name(table, "profile"), name(table, "subprofile"));
    let clock_bound_ms =
        table.integer("clock_warn_ms", CLOCK_WARN_MS, (500, 86_400_000), "milliseconds");
    if !table.has("onvif") {
        for key in ["profile", "subprofile", "clock_warn_ms"] {
            if table.has(key) {
                table.reject(key, "belongs to `onvif`: give the camera's ONVIF address, too");
            }
        }
        return None;
    }
    for key in ["uri", "substream"] {
        if table.has(key) {
            let instead = if key == "uri" { "profile" } else { "subprofile" };
            let problem = format!(
                "stands beside `onvif`, by which the camera is asked for it: leave one of them out, or \
                 name the stream with `{instead}`"
            );
            table.reject(key, problem);
        }
    }
    if subprofile.is_some() && profile == subprofile {
        table
            .reject("subprofile", "is the same as profile: leave it out, or name a smaller stream");
    }
    let device = match Endpoint::parse(&told?) {
        Ok(device) => device,
        Err(problem) => {
            // Never quoted: it may hold a password.
            table.reject("onvif", problem.to_string());
            return None;
        }
    };
    Some(Setting { device, profile, subprofile, clock_bound_ms })
}

fn name(table: &Reader<'_>, key: &'static str) -> Option<String> {
    let name = table.opt_text(key)?;
    if name.chars().count() > MAX_NAME {
        table.reject(key, format!("is longer than {MAX_NAME} characters, no profile's name is"));
    }
    Some(name)
}
