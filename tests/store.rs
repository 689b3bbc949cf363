//! One story, held against both engines: what `zoneproof::store` promises.
//!
//! Each test of SQLite has a file of its own. PostgreSQL is started once, and gives each part of the story an empty
//! database; it is left out where it is not installed, unless `ZONEPROOF_POSTGRES=required`.
#![cfg(test)]
#![cfg(all(feature = "sqlite", feature = "postgres"))]

#[path = "store/crashes.rs"]
mod crashes;
#[path = "store/leases.rs"]
mod leases;
#[path = "store/lists.rs"]
mod lists;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "store/records.rs"]
mod records;
#[path = "store/scene.rs"]
mod scene;
#[path = "store/upkeep.rs"]
mod upkeep;

use std::future::Future;
use std::pin::Pin;

/// One part of the story, told to the address of an empty database.
type Part = fn(String) -> Pin<Box<dyn Future<Output = ()>>>;

/// Tells each part of the story to SQLite in a test of its own, and lists them all.
macro_rules! story {
    ($($module:ident::$part:ident),* $(,)?) => {
        /// All parts of the story.
        const STORY: &[(&str, &str, Part)] =
            &[$((stringify!($module), stringify!($part), |url| Box::pin($module::$part(url)))),*];

        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $part() {
                let folder = tempfile::tempdir().unwrap();
                super::$module::$part(format!("sqlite:{}", folder.path().join("fleet.db").display())).await;
            })*
        }
    };
}

story![
    leases::a_claim_hands_out_no_domain_twice,
    leases::a_domain_that_was_let_go_is_claimed_again,
    leases::claims_that_nobody_knows_of_are_let_go,
    leases::a_moved_domain_is_claimed_in_its_new_shard,
    leases::a_worker_keeps_its_shards_while_it_is_alive,
    leases::an_ended_worker_leaves_its_shards_at_once,
    leases::tenants_move_on_side_by_side,
    leases::a_wish_for_a_check_waits_for_a_check_that_is_younger,
    leases::wishes_of_a_busy_tenant_do_not_hold_up_another,
    leases::what_a_zombie_records_changes_nothing,
    leases::the_next_due_time_is_that_of_the_next_claim,
    lists::adding_again_adds_nothing,
    lists::an_update_takes_over_what_is_asked_for,
    lists::a_listing_sees_each_domain_once_while_others_are_added,
    lists::a_listing_keeps_to_its_filter,
    lists::what_ses_says_is_kept_and_makes_a_domain_due,
    lists::a_removed_domain_is_gone_and_its_events_stay,
    lists::the_fleet_is_counted_by_what_it_is,
    records::a_record_is_all_of_it,
    records::a_dropped_record_is_nothing_or_everything,
    records::a_record_that_comes_again_changes_nothing,
    records::verified_is_stamped_once,
    records::events_are_seen_in_their_order_and_none_is_missed,
    records::a_run_gives_each_domain_one_result,
    records::an_open_run_is_found_again,
    records::of_two_that_intend_to_create_an_identity_one_does,
    upkeep::a_delivery_is_tried_by_one_and_settled_once,
    upkeep::endpoints_are_owed_what_they_asked_for,
    upkeep::a_dead_delivery_can_be_replayed,
    upkeep::tokens_never_exceed_their_rate,
    upkeep::a_sweep_leaves_what_is_needed,
    upkeep::many_that_open_an_empty_database_at_once_all_can,
    upkeep::a_newer_schema_is_refused_in_one_line,
];

/// Tells the parts of one module to PostgreSQL.
async fn tell_postgres(module: &str) {
    let Some(server) = postgres::Postgres::start(false) else { return };
    let mut told = 0;
    for (_, name, part) in STORY.iter().filter(|(of, ..)| *of == module) {
        let begin = std::time::Instant::now();
        part(server.database(&format!("part_{told}"))).await;
        println!("{name}: {} ms", begin.elapsed().as_millis());
        told += 1;
    }
    assert!(told > 0, "no part of the story is in {module}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_keeps_the_same_promises_of_leases() {
    tell_postgres("leases").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_keeps_the_same_promises_of_lists() {
    tell_postgres("lists").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_keeps_the_same_promises_of_records() {
    tell_postgres("records").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_keeps_the_same_promises_of_upkeep() {
    tell_postgres("upkeep").await;
}
