//! What the tests stand on: databases, a served central, a box with keys, evidence packages.

pub mod authority;
pub mod axe;
pub mod database;
pub mod driver;
pub mod package;
mod postgres;
pub mod road_box;
pub mod time_stamps;
pub mod world;

pub use database::Database;
pub use package::{Package, PackageBuilder, moments};
pub use road_box::RoadBox;
pub use world::World;

/// Runs each test on SQLite and on PostgreSQL. `SKIP_POSTGRES=1` leaves the second out, aloud.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        $(mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name($crate::support::Database::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                match $crate::support::Database::postgres().await {
                    Some(database) => super::$name(database).await,
                    None => eprintln!("skipped: SKIP_POSTGRES is set"),
                }
            }
        })+
    };
}
pub(crate) use on_both;
