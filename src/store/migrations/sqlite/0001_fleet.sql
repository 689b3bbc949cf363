-- The fleet: who works on what, what is known of it, and what is owed. Times are milliseconds since 1970 in UTC.

-- Who works. A worker is alive until `alive_until`, by the database's clock.
CREATE TABLE workers (
    name TEXT PRIMARY KEY,
    alive_until BIGINT NOT NULL
);

-- Who holds which shard; `epoch` grows whenever a shard changes hands.
CREATE TABLE shards (
    shard BIGINT PRIMARY KEY,
    owner TEXT,
    epoch BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX shards_owner ON shards (owner);

-- What is known of a domain. A tenant of '' is none.
CREATE TABLE domains (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    asked TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    verified_at BIGINT,
    last_checked_at BIGINT,
    last_check TEXT,
    last_verdict TEXT,
    root_cause TEXT,
    provider TEXT,
    zone_digest TEXT,
    identity TEXT,
    negatives TEXT NOT NULL,
    UNIQUE (tenant, name)
);
CREATE INDEX domains_name ON domains (name);

-- When a domain is checked, apart from what is known of it: these rows are short, and change three times a check.
-- `turn` is the place in the queue of those that are due, dealt out fairly over tenants; NULL while it is not queued.
-- `recheck_turn` is the same for the interactive lane. `claim_epoch` is the epoch of the shard under which it was
-- claimed: under any other epoch it is not.
CREATE TABLE schedule (
    domain TEXT PRIMARY KEY REFERENCES domains (id) ON DELETE CASCADE,
    tenant TEXT NOT NULL,
    shard BIGINT NOT NULL,
    due_at BIGINT,
    turn BIGINT,
    recheck_at BIGINT,
    recheck_turn BIGINT,
    claim_epoch BIGINT
);
-- The shard is no part of these: a worker holds hundreds, and an index would be searched once for each of them.
CREATE INDEX schedule_due ON schedule (due_at) WHERE due_at IS NOT NULL AND turn IS NULL;
CREATE INDEX schedule_turn ON schedule (turn) WHERE turn IS NOT NULL;
CREATE INDEX schedule_tenant_turn ON schedule (tenant, turn) WHERE turn IS NOT NULL;
CREATE INDEX schedule_recheck ON schedule (recheck_turn) WHERE recheck_turn IS NOT NULL;
CREATE INDEX schedule_tenant_recheck ON schedule (tenant, recheck_turn) WHERE recheck_turn IS NOT NULL;

-- The report of each domain's last check, deflated.
CREATE TABLE reports (
    domain TEXT PRIMARY KEY REFERENCES domains (id) ON DELETE CASCADE,
    check_id TEXT NOT NULL,
    body BLOB NOT NULL
);

-- The history: one line a check.
CREATE TABLE checks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    domain TEXT NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    verdict TEXT NOT NULL,
    root_cause TEXT,
    state TEXT NOT NULL,
    questions BIGINT NOT NULL,
    run TEXT
);
CREATE INDEX checks_domain ON checks (domain, seq);
CREATE INDEX checks_at ON checks (at, seq);

-- What there was to tell. The domain may be gone.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    domain TEXT NOT NULL,
    name TEXT NOT NULL,
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    at BIGINT NOT NULL,
    check_id TEXT NOT NULL,
    diff TEXT NOT NULL,
    report BLOB NOT NULL
);
CREATE INDEX events_domain ON events (domain, seq);
CREATE INDEX events_at ON events (at, seq);

-- Where events are posted to. A tenant of NULL is every tenant; kinds are words with commas between, none is all.
CREATE TABLE endpoints (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    secret TEXT NOT NULL,
    tenant TEXT,
    kinds TEXT NOT NULL,
    is_enabled BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- What is owed to endpoints. A lease moves `next_at` on; an attempt that is not the last one counts for nothing.
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL REFERENCES endpoints (id) ON DELETE CASCADE,
    event TEXT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    last_error TEXT
);
CREATE INDEX deliveries_due ON deliveries (next_at) WHERE state = 'pending';
CREATE INDEX deliveries_event ON deliveries (event);
CREATE INDEX deliveries_endpoint ON deliveries (endpoint, state);

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE UNIQUE INDEX runs_open ON runs (digest) WHERE finished_at IS NULL;

-- The domains of a run; `check_seq` is the final result.
CREATE TABLE run_domains (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    domain TEXT NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
    tenant TEXT NOT NULL,
    turn BIGINT NOT NULL,
    check_seq BIGINT,
    PRIMARY KEY (run, domain)
);
CREATE INDEX run_domains_domain ON run_domains (domain);
CREATE INDEX run_domains_turn ON run_domains (run, turn) WHERE check_seq IS NULL;
CREATE INDEX run_domains_tenant ON run_domains (run, tenant, turn);

CREATE TABLE identity_intents (
    domain TEXT PRIMARY KEY REFERENCES domains (id) ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    intended_at BIGINT NOT NULL,
    outcome TEXT NOT NULL
);

-- When the tokens of a key are all back, in microseconds.
CREATE TABLE tokens (
    key TEXT PRIMARY KEY,
    back_at BIGINT NOT NULL
);

WITH RECURSIVE numbers (shard) AS (SELECT 0 UNION ALL SELECT shard + 1 FROM numbers WHERE shard < 1023)
INSERT INTO shards (shard) SELECT shard FROM numbers;
