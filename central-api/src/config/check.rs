//! What the types of the configuration do not say.

use super::{Config, Connections, Device, Post, Registry, RegistrySource, Signing, Treasury, Web};

type Problem = (&'static str, String);

/// The first key whose value cannot work, and what would.
pub(super) fn check(config: &Config) -> Result<(), Problem> {
    database(config)?;
    connections(&config.connections)?;
    web(&config.web)?;
    device(&config.device)?;
    post(&config.post)?;
    treasury(&config.treasury)?;
    signing(&config.signing)?;
    registry(&config.registry)?;
    let confidence = config.cases.min_plate_confidence;
    if !(0.0..=1.0).contains(&confidence) {
        return Err(("cases.min_plate_confidence", "must lie between 0 and 1".into()));
    }
    if !(0.0..=1.0).contains(&config.cases.recheck_rejections) {
        return Err(("cases.recheck_rejections", "must lie between 0 and 1".into()));
    }
    let (passage, place) = (config.cases.same_passage_metres, config.cases.same_place_metres);
    if !(0.0..=1000.0).contains(&passage) {
        return Err(("cases.same_passage_metres", "must lie between 0 and 1000".into()));
    }
    if !(passage..=10_000.0).contains(&place) {
        return Err((
            "cases.same_place_metres",
            "must lie between same_passage_metres and 10000".into(),
        ));
    }
    if u64::from(config.cases.same_passage_seconds) > 60 * u64::from(config.cases.same_act_minutes)
    {
        return Err((
            "cases.same_passage_seconds",
            "must not be longer than same_act_minutes".into(),
        ));
    }
    for (key, value) in [
        ("cases.same_act_minutes", config.cases.same_act_minutes),
        ("staff.idle_minutes", config.staff.idle_minutes),
        ("staff.session_hours", config.staff.session_hours),
        ("staff.login_attempts", config.staff.login_attempts),
        ("lookup.requests_per_minute", config.lookup.requests_per_minute),
    ] {
        at_least_one(key, u64::from(value))?;
    }
    if config.jobs.workers > 64 {
        return Err(("jobs.workers", "must be at most 64; 0 where `central-api work` runs".into()));
    }
    if config.lookup.captcha_bits > 24 {
        return Err((
            "lookup.captcha_bits",
            "must be at most 24: more costs a phone minutes".into(),
        ));
    }
    for (key, value) in [
        ("agency.parent", &config.agency.parent),
        ("agency.name", &config.agency.name),
        ("agency.code", &config.agency.code),
        ("agency.place", &config.agency.place),
    ] {
        if value.trim().is_empty() {
            return Err((key, "is empty: notices need it".into()));
        }
    }
    if config.agency.offices.is_empty() {
        return Err(("agency.offices", "needs at least one place where owners may settle".into()));
    }
    if !config.ops.listen.is_empty() && config.ops.listen.parse::<std::net::SocketAddr>().is_err() {
        return Err(("ops.listen", "must be ADDRESS:PORT, for example 127.0.0.1:9100".into()));
    }
    Ok(())
}

fn database(config: &Config) -> Result<(), Problem> {
    let url = &config.database.url;
    let known = ["sqlite:", "postgres:", "postgresql:"].iter().any(|p| url.starts_with(p));
    if config.database.url_file.is_empty() && !known {
        return Err(("database.url", "must be sqlite:PATH or postgres://USER@HOST/NAME".into()));
    }
    at_least_one("database.connections", u64::from(config.database.connections))
}

fn connections(connections: &Connections) -> Result<(), Problem> {
    for (key, value) in [
        ("connections.handshake_seconds", connections.handshake_seconds),
        ("connections.header_seconds", connections.header_seconds),
        ("connections.idle_seconds", connections.idle_seconds),
        ("connections.stall_seconds", connections.stall_seconds),
        ("connections.request_seconds", connections.request_seconds),
        ("connections.per_address", connections.per_address as u64),
        ("connections.streams", u64::from(connections.streams)),
    ] {
        at_least_one(key, value)?;
    }
    Ok(())
}

fn web(web: &Web) -> Result<(), Problem> {
    if web.tls_cert.is_empty() != web.tls_key.is_empty() {
        return Err(("web.tls_cert", "and web.tls_key go together: set both or none".into()));
    }
    if !web.listen.ip().is_loopback() && web.tls_cert.is_empty() && !web.behind_proxy {
        return Err((
            "web.listen",
            "is open to the network without TLS: set tls_cert and tls_key, or behind_proxy = true \
             where a proxy terminates TLS, or listen on 127.0.0.1"
                .into(),
        ));
    }
    if web.behind_proxy && web.trusted_proxies.is_empty() {
        return Err((
            "web.behind_proxy",
            "needs trusted_proxies, the addresses or networks of the proxies whose \
             X-Forwarded-For is believed, for example [\"127.0.0.1\"]"
                .into(),
        ));
    }
    let plain = web.public_url.strip_prefix("http://");
    if plain.or_else(|| web.public_url.strip_prefix("https://")).is_none_or(str::is_empty)
        || web.public_url.ends_with('/')
    {
        return Err((
            "web.public_url",
            "must start with https:// (or http://) and end without /".into(),
        ));
    }
    at_least_one("web.max_connections", web.max_connections as u64)?;
    at_least_one("web.request_timeout_seconds", web.request_timeout_seconds)
}

fn device(device: &Device) -> Result<(), Problem> {
    if device.names.iter().all(|name| name.trim().is_empty()) {
        return Err((
            "device.names",
            "needs at least one host name or address by which boxes reach this host".into(),
        ));
    }
    for (key, value) in [
        ("device.max_connections", device.max_connections as u64),
        ("device.max_connections_per_device", device.max_connections_per_device as u64),
        ("device.max_requests", device.max_requests as u64),
        ("device.request_timeout_seconds", device.request_timeout_seconds),
        ("device.requests_per_second", u64::from(device.requests_per_second)),
        ("device.burst", u64::from(device.burst)),
        ("device.max_open_packages", u64::from(device.max_open_packages)),
        ("device.certificate_days", u64::from(device.certificate_days)),
    ] {
        at_least_one(key, value)?;
    }
    Ok(())
}

/// A window through which an address can be read, within the envelope: by up to 5.5 mm the sheet slips
/// to every side.
fn post(post: &Post) -> Result<(), Problem> {
    if !(1..=100).contains(&post.letters) {
        return Err(("post.letters", "must lie between 1 and 100".into()));
    }
    for (key, value, least, end, most) in [
        ("post.window_width_mm", post.window_width_mm, 60.0, post.window_from_side_mm, 220.0),
        ("post.window_height_mm", post.window_height_mm, 28.0, post.window_from_bottom_mm, 110.0),
    ] {
        if !(least..=most).contains(&value) || !(5.0..=most - value).contains(&end) {
            let problem = format!(
                "must be at least {least}, and the window lie within a DL envelope, 5 mm from its \
                 edges"
            );
            return Err((key, problem));
        }
    }
    Ok(())
}

fn treasury(treasury: &Treasury) -> Result<(), Problem> {
    let Treasury { bank, account, name, notification_key_file } = treasury;
    if bank.is_empty() && account.is_empty() && name.is_empty() {
        return match notification_key_file.is_empty() {
            true => Ok(()),
            false => Err((
                "treasury.notification_key_file",
                "needs bank, account and name: notifications are about that account".into(),
            )),
        };
    }
    if bank.len() != 6 || !bank.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err((
            "treasury.bank",
            "must be the bank's BIN, six digits, for example 970436".into(),
        ));
    }
    let plain = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    if !(6..=19).contains(&account.len()) || !account.bytes().all(plain) {
        let problem =
            "must be 6 to 19 digits or capital letters without blanks, for example 1017595600";
        return Err(("treasury.account", problem.into()));
    }
    if !(1..=100).contains(&name.trim().chars().count()) || name.chars().any(char::is_control) {
        return Err((
            "treasury.name",
            "must be the account's name, for example \"KHO BAC NHA NUOC TINH\"".into(),
        ));
    }
    Ok(())
}

fn signing(signing: &Signing) -> Result<(), Problem> {
    let url = &signing.time_stamp_url;
    let is_url = url.starts_with("https://") || url.starts_with("http://");
    for (key, given, needed, without) in [
        ("signing.key", &signing.key, &signing.certificates, "signing.certificates"),
        ("signing.key", &signing.key, &signing.roots, "signing.roots"),
        ("signing.certificates", &signing.certificates, &signing.key, "signing.key"),
        ("signing.time_stamp_url", url, &signing.time_stamp_roots, "signing.time_stamp_roots"),
    ] {
        if !given.is_empty() && needed.is_empty() {
            return Err((key, format!("needs {without}, a PEM file, beside it")));
        }
    }
    if !url.is_empty() && !is_url {
        return Err(("signing.time_stamp_url", "must start with https:// or http://".into()));
    }
    Ok(())
}

fn registry(registry: &Registry) -> Result<(), Problem> {
    let Registry { source, url, token_file, roots, keep_minutes } = registry;
    let is_asked = *source == RegistrySource::Server;
    for (key, value) in [("registry.url", url), ("registry.token_file", token_file)] {
        if is_asked && value.is_empty() {
            return Err((key, "is needed with source = \"server\"".into()));
        }
    }
    for (key, value) in
        [("registry.url", url), ("registry.token_file", token_file), ("registry.roots", roots)]
    {
        if !is_asked && !value.is_empty() {
            return Err((key, "is read with source = \"server\" only".into()));
        }
    }
    // Owners change: what is older than a day is asked for anew.
    if *keep_minutes > 24 * 60 {
        return Err(("registry.keep_minutes", "must be at most 1440, a day".into()));
    }
    Ok(())
}

fn at_least_one(key: &'static str, value: u64) -> Result<(), Problem> {
    if value == 0 { Err((key, "must be at least 1".into())) } else { Ok(()) }
}
