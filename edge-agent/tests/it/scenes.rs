//! The site files that the road world writes for its scenes are what the agent judges by: each reads
//! without a complaint and judges every act that the scene shows.

use edge_agent::config;
use fixtures::site::Site;
use fixtures::truth::Truth;
use fixtures::world::{Scenario, Scene, World};

#[test]
fn every_scene_is_judged_for_its_acts() {
    for scene in Scene::ALL {
        let scenario = Scenario::of(scene, 1);
        let text = Site::of(&scenario).to_toml().unwrap();
        let file = format!("{}.toml", scene.name());
        let agent = config::parse(&[(file.into(), text)]).unwrap_or_else(|e| panic!("{e}"));
        let site = &agent.cameras[0].site;
        let truth = Truth::of(&World::new(&scenario).unwrap());
        assert!(!truth.violations.is_empty(), "{scene:?}");
        for violation in &truth.violations {
            assert!(site.rule(&violation.act).is_some(), "{scene:?}: {}", violation.act);
        }
    }
}
