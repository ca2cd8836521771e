-- Documents on their way to whom they are for: one row a document, one a delivery of it.

-- The post office takes letters by batches, numbered from 1. The one row of the head orders who makes
-- one.
CREATE TABLE post_head (
    id   BIGINT PRIMARY KEY CHECK (id = 1),
    last BIGINT NOT NULL
);
INSERT INTO post_head (id, last) VALUES (1, 0);

CREATE TABLE post_batches (
    id         TEXT   NOT NULL,
    number     BIGINT NOT NULL,
    -- printing, printed, posted; empty where nothing of it could be printed.
    state      TEXT   NOT NULL,
    made_at    BIGINT NOT NULL,
    made_by    TEXT   NOT NULL REFERENCES users (id),
    letters    BIGINT NOT NULL,
    pages      BIGINT NOT NULL DEFAULT 0,
    -- Digests of the letters' PDF and of the list for the post office; the files are named by them.
    pdf_sha256 TEXT,
    csv_sha256 TEXT,
    posted_at  BIGINT,
    posted_by  TEXT   REFERENCES users (id),
    CONSTRAINT post_batches_id PRIMARY KEY (id),
    CONSTRAINT post_batches_number UNIQUE (number)
);

CREATE TABLE dispatches (
    case_id   TEXT   NOT NULL REFERENCES cases (id),
    -- notice
    kind      TEXT   NOT NULL,
    -- waiting: for a batch. again: came back, for another batch. held: not without a clerk. on_way.
    -- done: nothing is left to send. closed: the case is.
    state     TEXT   NOT NULL,
    -- What began the term that runs in this state: the act for a notice that waits, the return of a
    -- letter that is to be sent again.
    runs_from BIGINT NOT NULL,
    -- Letters that came back.
    returned  BIGINT NOT NULL DEFAULT 0,
    -- Why it is held.
    why       TEXT,
    CONSTRAINT dispatches_document PRIMARY KEY (case_id, kind)
);
CREATE INDEX dispatches_state ON dispatches (kind, state, runs_from, case_id);

CREATE TABLE deliveries (
    id       TEXT   NOT NULL,
    case_id  TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    -- post, hand, electronic, commune
    way      TEXT   NOT NULL,
    -- printing, printed, sent, delivered, returned, refused; void: never left the house.
    state    TEXT   NOT NULL,
    sent_at  BIGINT,
    -- When it was delivered, came back or was refused.
    ended_at BIGINT,
    -- Of a letter: its batch and its place in it, and by what the post office may name it.
    batch_id TEXT   REFERENCES post_batches (id),
    place    BIGINT,
    code     TEXT,
    year     BIGINT,
    number   BIGINT,
    tracking TEXT,
    -- Who put it on record by hand, and what they wrote.
    by_user  TEXT   REFERENCES users (id),
    note     TEXT,
    CONSTRAINT deliveries_id PRIMARY KEY (id),
    CONSTRAINT deliveries_document FOREIGN KEY (case_id, kind) REFERENCES dispatches (case_id, kind),
    CONSTRAINT deliveries_tracking UNIQUE (tracking)
);
CREATE INDEX deliveries_case ON deliveries (case_id, kind, id);
CREATE INDEX deliveries_batch ON deliveries (batch_id, place);
CREATE INDEX deliveries_code ON deliveries (code);
CREATE INDEX deliveries_number ON deliveries (number, year);

-- Notices of before: nobody knows here whether they were sent.
INSERT INTO dispatches (case_id, kind, state, runs_from, why)
SELECT id, 'notice', 'held', act_at, 'unknown' FROM cases WHERE state IN ('notified', 'withdrawing');
