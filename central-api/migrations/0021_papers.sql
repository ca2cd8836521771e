-- Every paper that goes to a citizen is delivered: a dispatch is one document's, whatever its kind, and a
-- case may have several of a kind. Rows of before are the notices'.
CREATE TABLE dispatches_before AS SELECT * FROM dispatches;
CREATE TABLE deliveries_before AS SELECT * FROM deliveries;
DROP TABLE deliveries;
DROP TABLE dispatches;

CREATE TABLE dispatches (
    -- The document's.
    code      TEXT   NOT NULL,
    case_id   TEXT   NOT NULL REFERENCES cases (id),
    -- notice, decision, annulment, points
    kind      TEXT   NOT NULL,
    -- waiting: for a batch. again: came back, for another batch. held: not without a clerk. on_way.
    -- done: nothing is left to send. closed: the case is, or the document is annulled.
    state     TEXT   NOT NULL,
    begun_at  BIGINT NOT NULL,
    -- What began the term that runs in this state: the act for a notice that waits, the signature for a
    -- decision, the return of a letter that is to be sent again, the sending of what is on its way.
    runs_from BIGINT NOT NULL,
    -- Letters that came back.
    returned  BIGINT NOT NULL DEFAULT 0,
    -- Why it is held.
    why       TEXT,
    -- Whom the document names; absent of a notice, which goes to the owner on record.
    name      TEXT,
    address   TEXT,
    CONSTRAINT dispatches_code PRIMARY KEY (code)
);
INSERT INTO dispatches (code, case_id, kind, state, begun_at, runs_from, returned, why)
SELECT n.code, d.case_id, d.kind, d.state, n.issued_at, d.runs_from, d.returned, d.why
FROM dispatches_before d JOIN documents n ON n.case_id = d.case_id AND n.kind = d.kind;
DROP TABLE dispatches_before;
CREATE INDEX dispatches_progress ON dispatches (kind, state, runs_from, case_id);
CREATE INDEX dispatches_case ON dispatches (case_id, kind, begun_at);

CREATE TABLE deliveries (
    id         TEXT   NOT NULL,
    code       TEXT   NOT NULL REFERENCES dispatches (code),
    case_id    TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    -- post, hand, electronic, commune
    way        TEXT   NOT NULL,
    -- printing, printed, sent, delivered, returned, refused; void: never left the house.
    state      TEXT   NOT NULL,
    sent_at    BIGINT,
    -- When it was delivered, came back or was refused.
    ended_at   BIGINT,
    -- Of a letter: its batch and its place in it, and by what the post office may name it.
    batch_id   TEXT   REFERENCES post_batches (id),
    place      BIGINT,
    printed_at BIGINT,
    number     BIGINT,
    tracking   TEXT,
    -- Of what was handed over: to whom, by the law's key.
    receiver   TEXT,
    -- Who put it on record by hand, and what they wrote.
    by_user    TEXT   REFERENCES users (id),
    note       TEXT,
    CONSTRAINT deliveries_pk PRIMARY KEY (id),
    CONSTRAINT deliveries_by_tracking UNIQUE (tracking)
);
INSERT INTO deliveries (id, code, case_id, kind, way, state, sent_at, ended_at, batch_id, place,
    printed_at, number, tracking, by_user, note)
SELECT d.id, n.code, d.case_id, d.kind, d.way, d.state, d.sent_at, d.ended_at, d.batch_id, d.place,
    CASE WHEN d.code IS NULL THEN NULL ELSE b.made_at END, d.number, d.tracking, d.by_user, d.note
FROM deliveries_before d JOIN documents n ON n.case_id = d.case_id AND n.kind = d.kind
    LEFT JOIN post_batches b ON b.id = d.batch_id;
DROP TABLE deliveries_before;
CREATE INDEX deliveries_of ON deliveries (code, id);
CREATE INDEX deliveries_case ON deliveries (case_id, id);
CREATE INDEX deliveries_place ON deliveries (batch_id, place);
CREATE INDEX deliveries_numbered ON deliveries (number, kind);

-- The day that counts as the decision's service. Absent while nothing serves it: then `due` is
-- 9999-12-31, or the day that the law sets where nothing proves the receipt.
ALTER TABLE payment_claims ADD COLUMN served_on TEXT;

-- Decisions of before: nobody knows here whether they were sent, so a clerk says, and nobody is warned
-- until then. Their claims keep the term that they were given.
INSERT INTO dispatches (code, case_id, kind, state, begun_at, runs_from, why)
SELECT d.code, d.case_id, d.kind, 'held', d.issued_at, d.issued_at, 'unknown'
FROM documents d JOIN proceedings p ON p.case_id = d.case_id AND p.name = 'decision'
WHERE d.kind = 'decision' AND p.state IN ('issued', 'annulling') AND NOT EXISTS (
    SELECT 1 FROM documents later WHERE later.case_id = d.case_id AND later.kind = 'decision'
      AND (later.issued_at, later.number) > (d.issued_at, d.number));
DELETE FROM warnings WHERE cause = 'unpaid' AND state = 'running';
