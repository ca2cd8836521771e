use super::*;

fn media(answer: &str) -> Media {
    let at = Endpoint::parse("http://192.0.2.10/onvif/media").unwrap();
    Media { at, second: true, profiles: read_profiles(answer).unwrap() }
}

fn profile(token: &str, name: &str, codec: &str, size: (u32, u32), source: &str) -> String {
    format!(
        "<tr2:Profiles token='{token}' fixed='true'><tr2:Name>{name}</tr2:Name><tr2:Configurations>\
         <tr2:VideoSource token='vsc'><tt:SourceToken>{source}</tt:SourceToken></tr2:VideoSource>\
         <tr2:VideoEncoder token='ve' GovLength='50'><tt:Encoding>{codec}</tt:Encoding><tt:Resolution>\
         <tt:Width>{}</tt:Width><tt:Height>{}</tt:Height></tt:Resolution><tt:RateControl \
         ConstantBitRate='false'><tt:FrameRateLimit>25.000000</tt:FrameRateLimit></tt:RateControl>\
         </tr2:VideoEncoder></tr2:Configurations></tr2:Profiles>",
        size.0, size.1
    )
}

fn answer(profiles: &[String]) -> String {
    format!(
        "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' xmlns:tr2=\
         'http://www.onvif.org/ver20/media/wsdl' xmlns:tt='http://www.onvif.org/ver10/schema'><s:Body>\
         <tr2:GetProfilesResponse>{}</tr2:GetProfilesResponse></s:Body></s:Envelope>",
        profiles.concat()
    )
}

#[test]
fn the_largest_is_kept_and_the_nearest_to_720p_is_analysed() {
    let media = media(&answer(&[
        profile("t0", "Snapshot", "JPEG", (3840, 2160), "eye"),
        profile("t1", "Main", "H265", (2560, 1440), "eye"),
        profile("t2", "Full HD", "H264", (1920, 1080), "eye"),
        profile("t3", "Sub", "H264", (1280, 720), "eye"),
        profile("t4", "Small", "H264", (640, 360), "eye"),
        profile("t5", "Other eye", "H264", (1280, 720), "second"),
        "<tr2:Profiles token='t6'><tr2:Name>Sound</tr2:Name></tr2:Profiles>".into(),
    ]));
    assert_eq!(media.profiles.len(), 6, "what has no picture is no profile");
    let main = media.main(None).unwrap();
    assert_eq!((main.name.as_str(), &main.codec, main.fps), ("Main", &Codec::H265, Some(25.0)));
    assert_eq!(media.small(main).unwrap().token, "t3");
    assert_eq!(media.named("t4").unwrap().name, "Small");
    assert_eq!(media.named("Sub").unwrap().token, "t3");
    let small = media.named("Small").unwrap();
    assert_eq!(media.small(small), None);
    let problem = media.named("Snapshot").unwrap_err();
    assert_eq!(problem, "sends JPEG in profile \"Snapshot\", must be H.264 or H.265");
    let problem = media.main(Some("Haupt")).unwrap_err();
    assert!(
        problem.starts_with("has no profile \"Haupt\", it has \"Snapshot\" (JPEG 3840x2160), ")
    );
}

#[test]
fn twins_are_called_by_their_token() {
    let media = media(&answer(&[
        profile("t1", "Profile", "H264", (1920, 1080), "eye"),
        profile("t2", "Profile", "H264", (640, 360), "eye"),
        profile("t3", "Third", "H264", (640, 360), "eye"),
    ]));
    let called: Vec<_> = media.profiles.iter().map(|profile| media.call(profile)).collect();
    assert_eq!(called, ["t1", "t2", "Third"]);
    assert!(media.main(None).unwrap().token == "t1" && media.main(Some("t2")).is_ok());
}

/// As an older camera of Hikvision's kind writes it.
#[test]
fn the_first_media_service_is_read_too() {
    let answer = "<env:Envelope xmlns:env='http://www.w3.org/2003/05/soap-envelope' xmlns:trt=\
        'http://www.onvif.org/ver10/media/wsdl' xmlns:tt='http://www.onvif.org/ver10/schema'><env:Body>\
        <trt:GetProfilesResponse><trt:Profiles fixed='true' token='Profile_1'><tt:Name>mainStream\
        </tt:Name><tt:VideoSourceConfiguration token='VideoSourceToken'><tt:Name>VSC</tt:Name>\
        <tt:SourceToken>VideoSource_1</tt:SourceToken></tt:VideoSourceConfiguration>\
        <tt:VideoEncoderConfiguration token='VEC_1'><tt:Name>VE</tt:Name><tt:Encoding>H264</tt:Encoding>\
        <tt:Resolution><tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution>\
        <tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit></tt:RateControl>\
        </tt:VideoEncoderConfiguration></trt:Profiles></trt:GetProfilesResponse></env:Body>\
        </env:Envelope>";
    let profiles = read_profiles(answer).unwrap();
    assert_eq!(profiles.len(), 1);
    let Profile { token, name, codec, width, height, fps, source } = profiles[0].clone();
    assert_eq!((token.as_str(), name.as_str(), codec), ("Profile_1", "mainStream", Codec::H264));
    assert_eq!((width, height, fps), (1920, 1080, Some(25.0)));
    assert_eq!(source.as_deref(), Some("VideoSource_1"));
    let uri = "<a:E xmlns:a='u'><a:GetStreamUriResponse><a:MediaUri><a:Uri>rtsp://h/s?a=1&amp;b=2\
        </a:Uri></a:MediaUri></a:GetStreamUriResponse></a:E>";
    assert_eq!(read_uri(uri).unwrap().as_deref(), Some("rtsp://h/s?a=1&b=2"));
}

#[test]
fn numbers_out_of_range_make_no_stream() {
    let huge = profile("t", "n", "H264", (1, 1), "e").replace(">1<", ">99999999999999999999<");
    let huge = huge.replace("25.000000", "NaN");
    let media = media(&answer(&[huge]));
    assert_eq!(media.profiles[0].fps, None);
    assert!(media.main(None).unwrap_err().contains("no profile of H.264 or H.265"));
    let crowd: Vec<_> =
        (0..200).map(|n| profile(&format!("{n}"), "n", "H264", (9, 9), "e")).collect();
    assert_eq!(read_profiles(&answer(&crowd)).unwrap().len(), MAX_PROFILES);
}
