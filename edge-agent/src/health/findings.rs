//! What is to be said of a report: of every part whether it is good, and what to do where it is not.
//! Vietnamese and English, for the page; the doctor says the same of the box.

use time::{Duration, OffsetDateTime};

use super::camera::{CameraState, CameraStatus, ClockCheck, PaceStatus};
use super::configured;
use super::finding::{Finding, Verdict};
use super::machine::{Disk, Machine};
use super::report::Report;
use crate::spool::Stats;
use crate::update::{self, Phase};
use crate::uplink;
use crate::wire::WireState;

/// Renewal is due this long before a certificate ends.
pub const RENEWAL: Duration = Duration::days(30);
/// A lamp that cannot be read for so long is worth a look.
const LAMP: Duration = Duration::minutes(2);
/// Undelivered evidence that is older than this waits for more than a bad line.
const QUEUE_S: u64 = 6 * 3600;
/// Heat at which processors begin to slow down, and at which they stop.
const HOT: f64 = 80.0;
const TOO_HOT: f64 = 95.0;

pub fn of(report: &Report) -> Vec<Finding> {
    let mut all = vec![clock(report.clock_synchronised)];
    all.extend(report.disks.iter().map(|it| disk(it, report.limits.min_free_bytes)));
    all.extend(report.spool.as_ref().map(|it| spool(it, report.limits.spool_bytes)));
    all.push(uplink(report.uplink.as_ref(), report.queue_age_s));
    all.extend(report.certificate_until.map(|until| certificate(until, report.at)));
    if report.certificate_until.is_none() && report.device.is_some() {
        all.push(
            Finding::new("certificate", Verdict::Bad, "the certificate cannot be read")
                .vietnamese("Không đọc được chứng thư số")
                .advise(
                    "Chạy edge-agent doctor để biết tệp nào sai, rồi đăng ký lại thiết bị.",
                    "run edge-agent doctor to see which file is wrong, then enrol the device again",
                ),
        );
    }
    all.extend(history(report));
    all.push(models(report));
    all.extend(self::machine(&report.machine));
    all.extend(report.troubles.iter().map(|trouble| {
        Finding::new("agent", Verdict::Bad, trouble.clone())
            .vietnamese("Thiết bị không làm được hết việc của mình")
            .advise(
                "Làm theo dòng tiếng Anh; nếu không rõ, khởi động lại dịch vụ edge-agent.",
                "do as it says; where it does not say, restart the service edge-agent",
            )
    }));
    all.extend(configuration(&report.configuration));
    all.extend(report.update.as_ref().map(update));
    all.extend(report.parked.iter().map(|parked| {
        Finding::new("spool", Verdict::Warn, parked.clone())
            .vietnamese("Có gói chứng cứ bị để riêng")
            .advise("Báo trung tâm xem xét.", "tell the central's people")
    }));
    all.extend(report.cameras.iter().flat_map(|it| camera(it, report.at)));
    all
}

/// Whether the files say what is in force; nothing to say where they do.
fn configuration(status: &configured::Status) -> Option<Finding> {
    if let Some(why) = &status.refused {
        let finding = Finding::new("config", Verdict::Warn, format!("not in force: {why}"));
        return Some(finding.vietnamese(format!("Cấu hình trong tệp bị từ chối: {why}")).advise(
            "Sửa tệp theo lời báo; cấu hình trước đó vẫn đang chạy.",
            "put the file right; what was in force before still is",
        ));
    }
    let sections = status.awaits_restart.join(", ");
    let finding = Finding::new("config", Verdict::Warn, format!("changed: {sections}"));
    (!sections.is_empty()).then(|| {
        finding.vietnamese(format!("Phần đã đổi chưa có hiệu lực: {sections}")).advise(
            "Khởi động lại dịch vụ edge-agent.",
            "restart the service edge-agent to bring it into force",
        )
    })
}

/// Which release runs, and what keeps another from it.
pub fn update(status: &update::Status) -> Finding {
    let part = "release";
    let (en, vi) = match status.release {
        0 => ("as installed".to_owned(), "Chạy như khi lắp đặt".to_owned()),
        number => (format!("release {number}"), format!("Bản phát hành {number}")),
    };
    let warn = |text: String, vi: String, advice_vi, advice| {
        Finding::new(part, Verdict::Warn, text).vietnamese(vi).advise(advice_vi, advice)
    };
    if let Some(undone) = status.undone() {
        let (number, reason) = (undone.number, &undone.reason);
        return warn(
            format!("{en}; release {number} was undone: {reason}"),
            format!("{vi}; đã bỏ bản {number}: {reason}"),
            "Thiết bị vẫn chạy bản trước. Báo trung tâm để phát hành bản sửa.",
            "the box runs what it ran before; tell the central's people, a new release is needed",
        );
    }
    match &status.phase {
        Phase::NotLaunched => warn(
            format!("{en}; not started by edge-agent launch: no updates"),
            format!("{vi}; không chạy bằng edge-agent launch nên không cập nhật"),
            "Dùng tệp dịch vụ systemd mới.",
            "start the service with edge-agent launch",
        ),
        Phase::Waiting { why } => warn(
            format!("{en}; not updated: {why}"),
            format!("{vi}; chưa cập nhật được: {why}"),
            "Báo trung tâm dòng tiếng Anh này.",
            "tell the central's people",
        ),
        Phase::Proving { lacks } if !lacks.is_empty() => warn(
            format!("{en} is on trial: {}", lacks.join("; ")),
            format!("{vi} đang chạy thử: {}", lacks.join("; ")),
            "Chờ: nếu không ổn, thiết bị tự quay về bản trước.",
            "wait: where it does not come well, the box goes back by itself",
        ),
        Phase::Proving { .. } => Finding::new(part, Verdict::Good, format!("{en} is on trial"))
            .vietnamese(format!("{vi} đang chạy thử")),
        Phase::Fetching { next, bytes, of } => {
            let (done, of) = (bytes / 1_000_000, of / 1_000_000);
            let text = format!("{en}; fetching release {next}: {done} of {of} MB");
            Finding::new(part, Verdict::Good, text)
                .vietnamese(format!("{vi}; đang tải bản {next}: {done}/{of} MB"))
        }
        Phase::Checking { next } => {
            Finding::new(part, Verdict::Good, format!("{en}; checking release {next}"))
                .vietnamese(format!("{vi}; đang kiểm tra bản {next}"))
        }
        // Where the way to the central is cut, the uplink says so.
        Phase::Idle | Phase::Unreached { .. } => {
            Finding::new(part, Verdict::Good, en).vietnamese(vi)
        }
    }
}

/// Whether the kernel vouches for the box's own clock: what arrival times, certificates and file dates
/// rest on.
pub fn clock(synchronised: bool) -> Finding {
    let verdict = if synchronised { Verdict::Good } else { Verdict::Warn };
    let (vi, en) = if synchronised {
        ("Đồng hồ thiết bị đã đồng bộ", "synchronised, says the kernel")
    } else {
        ("Đồng hồ thiết bị chưa đồng bộ", "not synchronised, says the kernel")
    };
    Finding::new("clock", verdict, en).vietnamese(vi).advise(
        "Cài systemd-timesyncd hoặc chrony và cho phép NTP ra mạng.",
        "set up systemd-timesyncd or chrony; until then only cameras whose own time agrees with it \
         accuse anybody",
    )
}

/// Room and writability of one folder's volume.
pub fn disk(disk: &Disk, min_free: u64) -> Finding {
    let part = "disk";
    let (holds, dir) = (disk.holds, disk.dir.display());
    let Some(free) = disk.free_bytes else {
        return Finding::new(part, Verdict::Bad, format!("{holds}: {dir} cannot be looked at"))
            .vietnamese(format!("Không xem được ổ đĩa của {dir}"))
            .advise("Kiểm tra ổ đĩa đã được gắn chưa.", "see whether the disk is mounted");
    };
    if disk.read_only {
        return Finding::new(part, Verdict::Bad, format!("{holds}: {dir} is mounted read-only"))
            .vietnamese(format!("Ổ đĩa của {dir} chỉ đọc, không ghi được"))
            .advise(
                "Xem dmesg để biết lỗi ổ đĩa; thường phải thay ổ.",
                "see dmesg for the disk's errors; mostly it has to be replaced",
            );
    }
    let verdict = if free < min_free {
        Verdict::Bad
    } else if free < min_free.saturating_mul(2) {
        Verdict::Warn
    } else {
        Verdict::Good
    };
    let (free, floor) = (free / 1_000_000, min_free / 1_000_000);
    Finding::new(
        part,
        verdict,
        format!("{holds}: {free} MB free at {dir}, {floor} MB must stay free"),
    )
    .vietnamese(format!("Còn trống {free} MB tại {dir}, phải chừa {floor} MB"))
    .advise(
        "Xóa tệp lạ trên ổ đĩa, hoặc giảm max_mib / keep_bytes trong cấu hình.",
        "remove what else lies on the disk, or lower max_mib or keep_bytes in the configuration",
    )
}

fn spool(stats: &Stats, most: u64) -> Finding {
    let percent = stats.total_bytes * 100 / most.max(1);
    let undelivered = stats.pending_bytes * 100 / most.max(1);
    let verdict = if stats.full || stats.failed {
        Verdict::Bad
    } else if undelivered >= 80 {
        Verdict::Warn
    } else {
        Verdict::Good
    };
    let (pending, megabytes) = (stats.pending, stats.total_bytes / 1_000_000);
    Finding::new(
        "spool",
        verdict,
        format!("{percent} % used ({megabytes} MB), {pending} packages wait for delivery"),
    )
    .vietnamese(format!("Kho chứng cứ dùng {percent} % ({megabytes} MB), {pending} gói chờ gửi"))
    .advise(
        "Khôi phục đường truyền về trung tâm; gói chưa gửi không bị xóa.",
        "bring the line to the central back; what is not delivered is never deleted",
    )
}

fn uplink(status: Option<&uplink::Status>, age: Option<u64>) -> Finding {
    let part = "uplink";
    let Some(status) = status else {
        return Finding::new(part, Verdict::Warn, "no [uplink]: evidence stays in the spool")
            .vietnamese("Chưa cấu hình gửi về trung tâm: chứng cứ nằm lại thiết bị")
            .advise("Thêm mục [uplink] vào cấu hình.", "add [uplink] to the configuration");
    };
    let waits = age.map_or_else(String::new, |age| format!(", the oldest waits {}", span(age)));
    let waits_vi =
        age.map_or_else(String::new, |age| format!(", gói cũ nhất chờ {}", span_vi(age)));
    let (verdict, vi, en) = match (&status.blocked, &status.phase) {
        (Some(why), _) => (Verdict::Bad, "Không gửi được cho đến khi có người xử lý", why.clone()),
        (None, uplink::Phase::Waiting { reason, .. }) if !reason.is_empty() => {
            (Verdict::Warn, "Đang chờ thử lại", format!("tries again: {reason}"))
        }
        _ if age.is_some_and(|age| age > QUEUE_S) => {
            (Verdict::Warn, "Hàng đợi đã lâu", "the queue is old".to_owned())
        }
        (None, uplink::Phase::Sending { .. }) => (Verdict::Good, "Đang gửi", "sending".into()),
        _ => (Verdict::Good, "Bình thường", "in order".into()),
    };
    Finding::new(part, verdict, format!("{en}{waits}"))
        .vietnamese(format!("{vi}{waits_vi}"))
        .advise(
            "Kiểm tra mạng, địa chỉ trung tâm và chứng thư số của thiết bị.",
            "check the network, the central's address and the device's certificate",
        )
}

fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

fn span_vi(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} giây"),
        120..7200 => format!("{} phút", seconds / 60),
        _ => format!("{} giờ", seconds / 3600),
    }
}

/// How long the certificate lasts.
pub fn certificate(until: OffsetDateTime, now: OffsetDateTime) -> Finding {
    let days = (until - now).whole_days();
    let verdict = match until - now {
        left if left <= Duration::ZERO => Verdict::Bad,
        left if left < RENEWAL => Verdict::Warn,
        _ => Verdict::Good,
    };
    Finding::new("certificate", verdict, format!("{days} days left, until {}", until.date()))
        .vietnamese(format!("Chứng thư số còn {days} ngày, đến {}", until.date()))
        .advise("Đăng ký lại thiết bị với trung tâm.", "enrol the device again at the central")
}

fn history(report: &Report) -> Option<Finding> {
    let status = report.history.as_ref()?;
    let (megabytes, lost) = (status.bytes / 1_000_000, status.dropped + status.missed);
    let (verdict, en, vi) = match &status.trouble {
        Some(trouble) => (
            Verdict::Warn,
            format!("not written: {trouble}"),
            "Nhật ký xe qua lại không ghi được".to_owned(),
        ),
        None if lost > 0 => (
            Verdict::Warn,
            format!("{lost} records were lost since the start"),
            format!("Mất {lost} dòng nhật ký từ lúc khởi động"),
        ),
        None => (
            Verdict::Good,
            format!("{} records written since the start, {megabytes} MB kept", status.written),
            format!("Đã ghi {} dòng từ lúc khởi động, đang giữ {megabytes} MB", status.written),
        ),
    };
    Some(Finding::new("history", verdict, en).vietnamese(vi).advise(
        "Kiểm tra ổ đĩa của thư mục [history]; nhật ký tự ghi lại khi ổ đĩa dùng được.",
        "look at the disk of [history]; it is written again by itself once the disk takes it",
    ))
}

fn models(report: &Report) -> Finding {
    let part = "models";
    if report.models.is_empty() {
        return Finding::new(part, Verdict::Bad, "none is loaded")
            .vietnamese("Chưa nạp mô hình nào")
            .advise(
                "Chép lại thư mục mô hình rồi khởi động lại dịch vụ.",
                "copy the folder of the models again and restart the service",
            );
    }
    let names: Vec<&str> = report.models.iter().map(|model| model.name.as_str()).collect();
    let names = names.join(", ");
    Finding::new(part, Verdict::Good, format!("{names} loaded, each of its card's digest"))
        .vietnamese(format!("Đã nạp {names}, đúng mã băm trong thẻ mô hình"))
}

/// Heat, memory and load.
pub fn machine(machine: &Machine) -> Vec<Finding> {
    let mut all = Vec::new();
    if let Some(celsius) = machine.celsius {
        let slow = machine.throttled == Some(true);
        let verdict = match celsius {
            celsius if celsius >= TOO_HOT => Verdict::Bad,
            celsius if celsius >= HOT || slow => Verdict::Warn,
            _ => Verdict::Good,
        };
        let (en, vi) = if slow {
            (", slowed down for heat", ", đang giảm tốc vì nóng")
        } else {
            ("", "")
        };
        all.push(
            Finding::new("heat", verdict, format!("processor at {celsius:.0} °C{en}"))
                .vietnamese(format!("Bộ xử lý {celsius:.0} °C{vi}"))
                .advise(
                    "Làm sạch lỗ gió, kiểm tra quạt, che nắng cho tủ.",
                    "clean the vents, look at the fan, shade the cabinet",
                ),
        );
    }
    if let (Some(all_of_it), Some(free)) = (machine.memory_bytes, machine.memory_free_bytes) {
        let percent = free * 100 / all_of_it.max(1);
        let verdict = match percent {
            0..5 => Verdict::Bad,
            5..12 => Verdict::Warn,
            _ => Verdict::Good,
        };
        let (free, whole) = (free / 1_000_000, all_of_it / 1_000_000);
        all.push(
            Finding::new("memory", verdict, format!("{free} MB of {whole} MB free"))
                .vietnamese(format!("Bộ nhớ còn trống {free} MB trên {whole} MB"))
                .advise(
                    "Bớt camera hoặc bớt [models] workers, dùng substream.",
                    "fewer cameras or [models] workers, or substreams",
                ),
        );
    }
    if let Some(load) = machine.load {
        let cores = machine.cores.max(1);
        let heavy = load > 1.5 * cores as f64 + 1.0;
        let verdict = if heavy { Verdict::Warn } else { Verdict::Good };
        all.push(
            Finding::new("load", verdict, format!("{load:.1} tasks on {cores} cores"))
                .vietnamese(format!("Tải {load:.1} trên {cores} nhân").replace('.', ","))
                .advise(
                    "Bớt camera, cho analysed_fps một khoảng, hoặc dùng substream.",
                    "fewer cameras, a range as analysed_fps, or substreams",
                ),
        );
    }
    all
}

/// The camera itself, and its lamps where they cannot be read.
fn camera(camera: &CameraStatus, now: OffsetDateTime) -> Vec<Finding> {
    let part = format!("camera {}", camera.id);
    let (verdict, vi, advice_vi, advice) = words(camera.state);
    let text = match camera.detail.as_str() {
        "" => camera.state.name().replace('_', " "),
        detail => detail.to_owned(),
    };
    let mut all = vec![Finding::new(&part, verdict, text).vietnamese(vi).advise(advice_vi, advice)];
    if camera.state == CameraState::Streaming {
        for lamp in &camera.lamps {
            let dark = lamp.unreadable_since.filter(|since| now - *since > LAMP);
            // A head of arrows alone is dark for most of a cycle.
            if let (Some(_), Some(_)) = (dark, lamp.since.filter(|_| camera.sight == Some("clear")))
            {
                all.push(
                    Finding::new(
                        &part,
                        Verdict::Warn,
                        format!("lamp {} has not been read for minutes", lamp.name),
                    )
                    .vietnamese(format!("Không đọc được đèn {} đã nhiều phút", lamp.name))
                    .advise(
                        "Xem đèn có sáng không, và vùng đèn vẽ có đúng không.",
                        "see whether it is lit, and whether its region is drawn where it is",
                    ),
                );
            }
        }
    }
    all.extend(cares(camera).map(|care| {
        Finding::new(&part, Verdict::Warn, care.text)
            .vietnamese(care.vi)
            .advise(care.advice_vi, care.advice)
    }));
    all
}

/// What is wrong with a camera besides its state.
struct Care {
    text: String,
    vi: String,
    advice_vi: &'static str,
    advice: &'static str,
}

/// The same, for the central.
pub fn warnings(camera: &CameraStatus) -> Vec<String> {
    cares(camera).map(|care| care.text).collect()
}

fn cares(camera: &CameraStatus) -> impl Iterator<Item = Care> + '_ {
    let wires = camera.wires.iter().filter(|(_, state)| state.is_alarm()).map(|(lamp, state)| Care {
        text: format!("lamp {lamp} is held unreadable: its wire {}", match state {
            WireState::Silent => "is silent",
            _ => "says another light",
        }),
        vi: format!("Đèn {lamp} không được tin: {}", match state {
            WireState::Silent => "dây tín hiệu im lặng",
            _ => "dây tín hiệu báo khác",
        }),
        advice_vi: "Kiểm tra tủ điều khiển, dây, và vùng đèn vẽ có đúng không; chưa ai bị ghi lỗi theo đèn này.",
        advice: "check the cabinet, the wire and the drawn lamp; until then nobody is accused by it",
    });
    let clock = camera.camera_clock.as_ref().and_then(|clock| match &clock.outcome {
        ClockCheck::Compared { difference, beyond_bound: true } => Some(Care {
            text: format!("its clock is {difference}"),
            vi: format!("Đồng hồ camera lệch {} ms so với thiết bị", difference.ms),
            advice_vi: "Bật NTP trên camera.",
            advice: "let the camera follow NTP",
        }),
        _ => None,
    });
    let pace = camera.pace.filter(PaceStatus::is_least).map(|pace| Care {
        text: format!("the box bears no more than its least, {} pictures a second", pace.least),
        vi: format!("Thiết bị quá bận: camera chỉ còn mức ít nhất, {} hình/giây", pace.least),
        advice_vi: "Bớt camera, dùng luồng phụ, hoặc thiết bị mạnh hơn.",
        advice: "fewer cameras, substreams, or a stronger box",
    });
    wires.chain(clock).chain(pace)
}

/// A state's verdict, words and what to do.
pub const fn words(state: CameraState) -> (Verdict, &'static str, &'static str, &'static str) {
    match state {
        CameraState::Streaming => (Verdict::Good, "Hoạt động tốt", "", ""),
        CameraState::Connecting => (
            Verdict::Warn,
            "Đang kết nối",
            "Nếu kéo dài, kiểm tra nguồn, cáp mạng và địa chỉ camera.",
            "if it lasts, check power, cable and the camera's address",
        ),
        CameraState::Stalled => (
            Verdict::Bad,
            "Có kết nối nhưng không có hình",
            "Kiểm tra cáp mạng, rồi khởi động lại camera.",
            "check the cable, then restart the camera",
        ),
        CameraState::ClockUnknown => (
            Verdict::Bad,
            "Không chắc giờ: không ai bị ghi lỗi",
            "Bật NTP trên camera và trên thiết bị.",
            "set up NTP on the camera and on the box",
        ),
        CameraState::Damaged => (
            Verdict::Warn,
            "Luồng hình bị mất gói",
            "Kiểm tra cáp, bộ chuyển mạch và tải của camera.",
            "check cable, switch and the camera's load",
        ),
        CameraState::Frozen => {
            (Verdict::Bad, "Hình đứng yên", "Khởi động lại camera.", "restart the camera")
        }
        CameraState::Moved => (
            Verdict::Bad,
            "Camera bị lệch hướng: không ai bị ghi lỗi",
            "Chỉnh lại hướng camera, hoặc vẽ lại hiện trường.",
            "aim the camera again, or draw the site anew",
        ),
        CameraState::Defocused => (
            Verdict::Bad,
            "Hình mờ: không ai bị ghi lỗi",
            "Lau ống kính và chỉnh nét.",
            "clean the lens and focus it",
        ),
        CameraState::Blinded => (
            Verdict::Bad,
            "Hình quá sáng, quá tối hoặc bị che",
            "Xem có gì che camera, có đèn hay nắng chiếu thẳng không.",
            "see what covers the camera or shines into it",
        ),
        CameraState::Failed => (
            Verdict::Bad,
            "Không dùng được cho đến khi sửa cấu hình hoặc camera",
            "Đọc dòng tiếng Anh: sai mật khẩu, địa chỉ hay kiểu mã hóa.",
            "correct the login, the address or the codec that it names",
        ),
        CameraState::Stopped => (
            Verdict::Warn,
            "Đã dừng",
            "Chạy lại dịch vụ edge-agent.",
            "start the service edge-agent again",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-28 08:15 +07:00);

    #[test]
    fn whatever_is_not_good_says_what_to_do_in_both_languages() {
        for state in CameraState::ALL {
            let (verdict, vi, advice_vi, advice) = words(state);
            assert!(!vi.is_empty());
            let told = !advice_vi.is_empty() && !advice.is_empty();
            assert_eq!(told, verdict != Verdict::Good, "{state:?}");
        }
        let hot = Machine {
            celsius: Some(97.0),
            throttled: Some(true),
            memory_bytes: Some(100),
            memory_free_bytes: Some(3),
            load: Some(9.0),
            cores: 2,
        };
        for finding in machine(&hot) {
            assert_ne!(finding.verdict, Verdict::Good, "{finding}");
            assert!(finding.advice.is_some() && finding.text_vi.is_some(), "{finding}");
        }
        let cool = Machine { celsius: Some(50.0), throttled: Some(false), load: Some(1.0), ..hot };
        assert_eq!(machine(&cool)[0].verdict, Verdict::Good);
        assert_eq!(machine(&cool)[0].advice, None);
    }

    #[test]
    fn certificates_and_disks_are_told_in_time() {
        let of_days = |days| certificate(NOW + Duration::days(days), NOW).verdict;
        assert_eq!([60, 29, -1].map(of_days), [Verdict::Good, Verdict::Warn, Verdict::Bad]);
        let volume = |free_bytes, read_only| {
            let (holds, dir, total_bytes) = ("spool", PathBuf::from("/x"), Some(100));
            disk(&Disk { holds, dir, free_bytes, total_bytes, read_only }, 10).verdict
        };
        assert_eq!(volume(Some(30), false), Verdict::Good);
        assert_eq!(volume(Some(15), false), Verdict::Warn);
        assert_eq!(volume(Some(5), false), Verdict::Bad);
        assert_eq!(volume(Some(30), true), Verdict::Bad);
        assert_eq!(volume(None, false), Verdict::Bad);
    }
}
