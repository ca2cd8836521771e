//! What would hold a box up for good: a package from the future, numbers that begin again, a key
//! that was replaced. Kept, counted, shown with the command that helps; nobody else waits.

use central_api::clock::Clock as _;
use central_api::device::parked::{self, ParkedError, Verdict};
use central_api::device::{enrol, settle};
use contract::chain::Head;
use time::Duration;

use crate::support::{Database, Package, RoadBox, World, on_both};

on_both!(
    a_package_from_the_future_is_parked_and_the_box_goes_on,
    parked_evidence_becomes_a_case_only_once_its_time_has_come,
    a_restored_image_begins_again_when_somebody_says_so,
    a_broken_link_goes_on_when_somebody_says_so,
    a_replaced_key_seals_nothing_new,
);

const WHY: &str = "the box was set up again from its image";

async fn stuck(world: &World, device: &str) -> Option<(Option<i64>, String, String)> {
    let listed = enrol::list(&world.app.store).await.unwrap();
    let one = listed.into_iter().find(|one| one.id == device).unwrap();
    one.stuck.map(|stuck| (stuck.sequence, stuck.code.clone(), stuck.remedy(device)))
}

async fn deliver(world: &World, road_box: &mut RoadBox, package: &Package) {
    let receipt = road_box.deliver(package).await.unwrap();
    road_box.check_receipt(&receipt, package, &world.app.receipt_key.verifying_key());
    road_box.advance(package);
}

async fn a_package_from_the_future_is_parked_and_the_box_goes_on(database: Database) {
    let world = World::new(database).await;
    let mut road_box = world.road_box("edge-01", 1).await;
    let later = world.clock.now() + Duration::days(400);
    let dated = road_box.sealed(road_box.next().with(|manifest| manifest.violation.at = later));
    deliver(&world, &mut road_box, &dated).await;
    let after = road_box.sealed(road_box.next());
    deliver(&world, &mut road_box, &after).await;
    assert_eq!(world.cases().await, 1, "the one behind it");

    let waiting = parked::list(&world.app.store).await.unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!((waiting[0].id.clone(), waiting[0].whole), (dated.id().to_string(), true));
    assert!(waiting[0].why.contains("34560000 s ahead"), "{}", waiting[0].why);
    let report = world.verify().await;
    assert!(report.ok, "{:?}", report.findings);
    assert_eq!((report.packages, report.files), (2, 12));

    let id = dated.id().to_string();
    let decide = async |verdict, reason| {
        parked::decide(&world.app.store, world.app.terms(), world.clock.now(), &id, verdict, reason)
            .await
    };
    let early = decide(Verdict::Case, "somebody wants it as a case").await.unwrap_err();
    assert!(matches!(early, ParkedError::Future { .. }), "{early}");
    assert!(matches!(decide(Verdict::Closed, "why").await, Err(ParkedError::Reason)));
    assert_eq!(decide(Verdict::Closed, "the box's clock was wrong").await.unwrap(), None);
    let again = decide(Verdict::Closed, "the box's clock was wrong").await;
    assert!(matches!(again, Err(ParkedError::Unknown(_))));
    assert!(parked::list(&world.app.store).await.unwrap().is_empty());
    assert_eq!(world.cases().await, 1);
    assert!(world.verify().await.ok);
    world.stop().await;
}

async fn parked_evidence_becomes_a_case_only_once_its_time_has_come(database: Database) {
    let world = World::new(database).await;
    let mut road_box = world.road_box("edge-01", 1).await;
    let near = world.clock.now() + Duration::minutes(5);
    let soon = road_box.sealed(road_box.next().with(|manifest| manifest.violation.at = near));
    // Waiting helps here: refused until then, and shown meanwhile.
    assert_eq!(road_box.announce(&soon).await.refusal(), (422, "capture_in_future".into()));
    let (sequence, code, _) = stuck(&world, "edge-01").await.unwrap();
    assert_eq!((sequence, code.as_str()), (Some(1), "capture_in_future"));
    world.clock.advance(Duration::minutes(5));
    deliver(&world, &mut road_box, &soon).await;
    assert_eq!(stuck(&world, "edge-01").await, None);
    assert_eq!(world.cases().await, 1);

    let far = world.clock.now() + Duration::hours(3);
    let parked = road_box.sealed(road_box.next().with(|manifest| manifest.violation.at = far));
    deliver(&world, &mut road_box, &parked).await;
    assert_eq!(world.cases().await, 1);
    world.clock.advance(Duration::hours(4));
    let id = parked.id().to_string();
    let why = "time zone of the box was wrong by design";
    let now = world.clock.now();
    let case = parked::decide(&world.app.store, world.app.terms(), now, &id, Verdict::Case, why)
        .await
        .unwrap();
    assert!(case.is_some());
    assert_eq!(world.cases().await, 2);
    let report = world.verify().await;
    assert!(report.ok, "{:?}", report.findings);
    world.stop().await;
}

async fn a_restored_image_begins_again_when_somebody_says_so(database: Database) {
    let world = World::new(database).await;
    let mut road_box = world.road_box("edge-01", 1).await;
    for _ in 0..3 {
        let package = road_box.sealed(road_box.next());
        deliver(&world, &mut road_box, &package).await;
    }
    // The image knows nothing of the three: sequence 1 again, other evidence of another hour.
    road_box.head = Head::default();
    road_box.now -= Duration::hours(1);
    let first = road_box.sealed(road_box.next());
    let before = world.snapshot().await;
    assert_eq!(road_box.announce(&first).await.refusal(), (409, "out_of_order".into()));
    assert_eq!(world.snapshot().await, before, "nothing forks by itself");
    let (sequence, code, remedy) = stuck(&world, "edge-01").await.unwrap();
    assert_eq!((sequence, code.as_str()), (Some(1), "out_of_order"));
    assert!(remedy.contains("settle-chain --id edge-01 --next 1 --reason"), "{remedy}");

    let now = world.clock.now();
    let given_up = settle::settle(&world.app.store, now, "edge-01", 1, WHY).await.unwrap();
    assert_eq!(given_up, 0);
    deliver(&world, &mut road_box, &first).await;
    let second = road_box.sealed(road_box.next());
    deliver(&world, &mut road_box, &second).await;
    assert_eq!(stuck(&world, "edge-01").await, None);
    let listed = enrol::list(&world.app.store).await.unwrap();
    assert!(listed[0].head == "2 of run 2", "{}", listed[0].head);
    let report = world.verify().await;
    assert!(report.ok, "{:?}", report.findings);
    assert_eq!(report.settled.len(), 1);
    let told = &report.settled[0].problem;
    assert!(told.contains("numbers begin again at 1 after 3"), "{told}");
    assert_eq!(world.cases().await, i64::try_from(report.packages).unwrap());

    // And once more, from another image: the same way.
    road_box.head = Head::default();
    let third = road_box.sealed(road_box.next());
    assert_eq!(road_box.announce(&third).await.refusal(), (409, "out_of_order".into()));
    settle::settle(&world.app.store, now, "edge-01", 1, WHY).await.unwrap();
    deliver(&world, &mut road_box, &third).await;
    assert!(world.verify().await.ok);
    world.stop().await;
}

async fn a_broken_link_goes_on_when_somebody_says_so(database: Database) {
    let world = World::new(database).await;
    let mut road_box = world.road_box("edge-01", 1).await;
    let one = road_box.sealed(road_box.next());
    deliver(&world, &mut road_box, &one).await;
    // The box remembers another first package than the one that was delivered.
    road_box.head = Head { sequence: 1, digest: Some(contract::Digest::of(b"another")) };
    let two = road_box.sealed(road_box.next());
    assert_eq!(road_box.announce(&two).await.refusal(), (409, "broken_chain".into()));
    let (_, _, remedy) = stuck(&world, "edge-01").await.unwrap();
    assert!(remedy.contains("--next 2 --again"), "{remedy}");
    let now = world.clock.now();
    let plain = settle::settle(&world.app.store, now, "edge-01", 2, WHY).await.unwrap_err();
    assert!(plain.to_string().contains("--again"), "{plain}");
    settle::begin_again(&world.app.store, now, "edge-01", 2, WHY).await.unwrap();
    deliver(&world, &mut road_box, &two).await;
    let report = world.verify().await;
    assert!(report.ok, "{:?}", report.findings);
    assert_eq!(report.settled.len(), 1);
    world.stop().await;
}

async fn a_replaced_key_seals_nothing_new(database: Database) {
    let world = World::new(database).await;
    let mut old = world.road_box("edge-01", 1).await;
    let before = old.sealed(old.next());
    deliver(&world, &mut old, &before).await;
    let kept = old.sealed(old.next());
    old.advance(&kept);
    world.clock.advance(Duration::hours(1));
    let mut renewed = world.road_box("edge-01", 2).await;
    renewed.head = Head { sequence: 1, digest: Some(before.digest()) };
    renewed.now = world.clock.now();
    // Sealed and seen before the renewal, delivered after it: evidence like any other.
    deliver(&world, &mut renewed, &kept).await;
    world.clock.advance(Duration::hours(1));
    let late = renewed.next().with(|manifest| manifest.violation.at = world.clock.now());
    let forged = late.clone().seal(&old.keys.seal);
    let snapshot = world.snapshot().await;
    assert_eq!(renewed.announce(&forged).await.refusal(), (422, "superseded_key".into()));
    assert_eq!(world.snapshot().await, snapshot);
    let honest = renewed.sealed(late);
    deliver(&world, &mut renewed, &honest).await;
    let report = world.verify().await;
    assert!(report.ok, "{:?}", report.findings);
    assert_eq!(report.packages, 3);
    world.stop().await;
}
