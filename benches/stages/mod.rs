//! What the engine does without sockets, stage by stage: reading and writing one message, the turn of one question, its way
//! through the transports, known delegations, the plan, the judgement and the report; and a whole check of a healthy domain
//! that is replayed from a scenario. Each bench measures them in its own way.

mod fixtures;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use zoneproof::budget::Budget;
use zoneproof::check::{Checker, plan};
use zoneproof::dns::message::{Extent, Message, encode_message, encode_query};
use zoneproof::dns::response::read_response;
use zoneproof::findings::judge;
use zoneproof::report::{Context, Report};
use zoneproof::scenario::replay::Replay;
use zoneproof::transport::guard::AddressPolicy;
use zoneproof::transport::live::{TransportSettings, stack};
use zoneproof::transport::pace::{PaceLimits, Paced, Pacer};
use zoneproof::transport::{DynTransport, PaceClass, Query, Transport};
use zoneproof::walk::cut_cache::CutCache;

use fixtures::{Asked, AtHand, SERVERS, cut, evidence, expectation, name, scenario};

/// One pass through a stage.
pub(crate) type Pass = Box<dyn FnMut()>;

/// A stage of the engine.
pub(crate) struct Stage {
    /// What it does.
    pub(crate) name: &'static str,
    /// Gets ready to go through it.
    pub(crate) prepare: fn() -> Pass,
}

/// All stages, in the order in which a check goes through them.
pub(crate) const ALL: [Stage; 16] = [
    Stage { name: "write a query", prepare: write_query },
    Stage { name: "wait for a turn", prepare: wait_for_turn },
    Stage { name: "go through the transports", prepare: go_through_transports },
    Stage { name: "read a referral with glue", prepare: || read(Asked::referral()) },
    Stage { name: "classify a referral with glue", prepare: || classify(Asked::referral()) },
    Stage { name: "read a CNAME answer", prepare: || read(Asked::alias()) },
    Stage { name: "read one that names all servers, whole", prepare: || read(Asked::alias_beside_servers()) },
    Stage { name: "read one that names all servers, to the answer", prepare: read_answer },
    Stage { name: "classify a CNAME answer", prepare: || classify(Asked::alias()) },
    Stage { name: "write a CNAME answer", prepare: write_answer },
    Stage { name: "find known delegations", prepare: find_delegations },
    Stage { name: "plan, with nothing left to ask", prepare: plan_nothing },
    Stage { name: "judge", prepare: judge_right },
    Stage { name: "report", prepare: report },
    Stage { name: "write a report", prepare: write_report },
    Stage { name: "check a healthy domain, replayed", prepare: check_replayed },
];

/// Encodes a query.
fn write_query() -> Pass {
    let question = Asked::alias().question;
    Box::new(move || {
        black_box(encode_query(black_box(1), &question, 0x5555, None));
    })
}

/// Decodes a reply.
fn read(asked: Asked) -> Pass {
    Box::new(move || {
        let _ = black_box(Message::decode(black_box(&asked.octets)));
    })
}

/// Decodes a reply no further than to its answer.
fn read_answer() -> Pass {
    let asked = Asked::alias_beside_servers();
    Box::new(move || {
        let _ = black_box(Message::decode_reply(black_box(&asked.octets), &asked.question, Extent::Answer));
    })
}

/// Finds out what a reply means.
fn classify(asked: Asked) -> Pass {
    let message = asked.message();
    Box::new(move || {
        black_box(read_response(black_box(&message), &asked.question, &asked.zone));
    })
}

/// Encodes a reply, as the lab does.
fn write_answer() -> Pass {
    let message = Asked::alias().message();
    Box::new(move || {
        let _ = black_box(encode_message(black_box(&message)));
    })
}

/// Makes a runtime that waits for what it is given.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Returns a query, and a transport that has its answer at hand.
fn at_hand() -> (Query, Arc<dyn DynTransport>) {
    let asked = Asked::alias();
    let transport = Arc::new(AtHand(Arc::new(asked.message())));
    let server = "192.0.2.1".parse().expect("an address");
    (Query::new(server, asked.question, PaceClass::Ordinary, Budget::for_check()), transport)
}

/// Has a question wait for its turn where all limits are high.
fn wait_for_turn() -> Pass {
    let (query, at_hand) = at_hand();
    let limits = PaceLimits { per_second_in_all: u32::MAX, ..PaceLimits::default() }.with_per_server(u32::MAX);
    let (runtime, paced) = (runtime(), Paced::new(at_hand, Pacer::new(limits)));
    Box::new(move || {
        black_box(runtime.block_on(paced.exchange(black_box(&query))));
    })
}

/// Goes through guard, fallback and pace to a reply that is at hand, without a limit.
fn go_through_transports() -> Pass {
    let (query, at_hand) = at_hand();
    let limits = PaceLimits { per_second_in_all: 0, ..PaceLimits::default() }.with_per_server(0);
    let policy = AddressPolicy::allowing_special();
    let transport = stack(Arc::clone(&at_hand), at_hand, &TransportSettings { limits, policy, ..Default::default() });
    let runtime = runtime();
    Box::new(move || {
        black_box(runtime.block_on(transport.exchange(black_box(&query))));
    })
}

/// Finds the way to a name among a thousand known delegations.
fn find_delegations() -> Pass {
    let cache = CutCache::new(cut(".", None, &SERVERS), 64 << 20);
    cache.keep_cut(cut("example.", Some("."), &SERVERS));
    for number in 0..1000 {
        cache.keep_cut(cut(&format!("tenant{number}.example."), Some("example."), &SERVERS));
    }
    let name = name("t1._domainkey.mail.tenant7.example.");
    Box::new(move || {
        black_box(cache.known_cuts(black_box(&name), Duration::MAX));
    })
}

/// Plans where all that was seen is right.
fn plan_nothing() -> Pass {
    let expectation = expectation();
    let evidence = evidence(&scenario(), &expectation);
    assert_eq!(plan::next(&expectation, &evidence), [], "nothing is left to ask");
    Box::new(move || {
        black_box(plan::next(black_box(&expectation), &evidence));
    })
}

/// Judges what is right.
fn judge_right() -> Pass {
    let expectation = expectation();
    let evidence = evidence(&scenario(), &expectation);
    Box::new(move || {
        black_box(judge(black_box(&expectation), &evidence));
    })
}

/// Returns what a report says beside the judgement.
fn context() -> Context {
    Context { checked_at: jiff::Timestamp::UNIX_EPOCH, elapsed: Duration::from_millis(30), questions: 11 }
}

/// Puts a report together.
fn report() -> Pass {
    let expectation = expectation();
    let evidence = evidence(&scenario(), &expectation);
    let judgement = judge(&expectation, &evidence);
    Box::new(move || {
        black_box(Report::build(black_box(&expectation), &evidence, &judgement, &context()));
    })
}

/// Writes a report as JSON.
fn write_report() -> Pass {
    let expectation = expectation();
    let evidence = evidence(&scenario(), &expectation);
    let report = Report::build(&expectation, &evidence, &judge(&expectation, &evidence), &context());
    Box::new(move || {
        black_box(serde_json::to_string(black_box(&report)).map(|text| text.len()).ok());
    })
}

/// Runs a whole check without sockets.
fn check_replayed() -> Pass {
    let (scenario, runtime) = (Arc::new(scenario()), runtime());
    let checker = {
        let _entered = runtime.enter();
        let replay = Arc::new(Replay::new(Arc::clone(&scenario)));
        Checker::builder().root_hints(scenario.root_hints()).transport(replay).build().expect("a checker")
    };
    let expectation = expectation();
    Box::new(move || {
        black_box(runtime.block_on(checker.check(black_box(&expectation))));
    })
}
