//! What the engine costs without sockets, stage by stage, in time; `instructions` counts instructions.
#![expect(clippy::expect_used, clippy::panic, reason = "a bench ends where its fixture is broken")]

mod stages;

use criterion::{Criterion, criterion_group, criterion_main};

/// Measures every stage.
fn engine(criterion: &mut Criterion) {
    for stage in stages::ALL {
        let mut pass = (stage.prepare)();
        criterion.bench_function(stage.name, |bencher| bencher.iter(&mut pass));
    }
}

criterion_group!(benches, engine);
criterion_main!(benches);
