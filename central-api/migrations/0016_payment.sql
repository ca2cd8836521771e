-- Money that decisions ask for: what is owed, what came in, what goes back. Days are text like
-- 2026-12-10, amounts whole VND.

-- One row: whoever books receipts or refunds takes it first, so that they book one after another.
CREATE TABLE payment_turn (
    id      BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT payment_turn_id PRIMARY KEY (id)
);
INSERT INTO payment_turn (id, version) VALUES (1, 0);

-- What a decision asks of a case's payer. The sums follow from the entries below.
CREATE TABLE payment_claims (
    id           TEXT   NOT NULL,
    case_id      TEXT   NOT NULL REFERENCES cases (id),
    -- As the decision is cited, e.g. 123/QĐ-XPHC.
    decision     TEXT   NOT NULL,
    decided_on   TEXT   NOT NULL,
    -- What a payer writes in the purpose.
    reference    TEXT   NOT NULL,
    -- What is asked for now: less than what was decided after a reduction, 0 after an exemption.
    fine         BIGINT NOT NULL,
    -- The last day of the term.
    due          TEXT   NOT NULL,
    -- Of late payment, fixed by the payments that came.
    surcharge    BIGINT NOT NULL DEFAULT 0,
    paid         BIGINT NOT NULL DEFAULT 0,
    refunded     BIGINT NOT NULL DEFAULT 0,
    -- What was paid beyond what is asked for, and must go back.
    excess       BIGINT NOT NULL DEFAULT 0,
    -- open, settled or cancelled.
    state        TEXT   NOT NULL,
    opened_at    BIGINT NOT NULL,
    settled_at   BIGINT,
    cancelled_at BIGINT,
    -- Payment by parts: from which day it counts.
    parts_from   TEXT,
    version      BIGINT NOT NULL,
    CONSTRAINT payment_claims_id PRIMARY KEY (id),
    CONSTRAINT payment_claims_reference UNIQUE (reference),
    CONSTRAINT payment_claims_decision UNIQUE (decision, decided_on),
    CONSTRAINT payment_claims_sums CHECK (
        fine >= 0 AND surcharge >= 0 AND paid >= 0 AND refunded >= 0 AND excess >= 0
    ),
    CONSTRAINT payment_claims_settled CHECK (
        state <> 'settled' OR paid - refunded >= fine + surcharge
    )
);
-- A case has one decision in force.
CREATE UNIQUE INDEX payment_claims_case ON payment_claims (case_id) WHERE state <> 'cancelled';
CREATE INDEX payment_claims_of_case ON payment_claims (case_id);
CREATE INDEX payment_claims_open ON payment_claims (due, id) WHERE state = 'open';
CREATE INDEX payment_claims_excess ON payment_claims (due, id) WHERE excess > 0;

-- Days on which nothing accrues: a deferral, or a request that is pending.
CREATE TABLE payment_pauses (
    claim_id TEXT   NOT NULL REFERENCES payment_claims (id),
    from_day TEXT   NOT NULL,
    -- The last one; absent while nobody has decided.
    to_day   TEXT,
    CONSTRAINT payment_pauses_claim PRIMARY KEY (claim_id, from_day)
);

CREATE TABLE payment_parts (
    claim_id TEXT   NOT NULL REFERENCES payment_claims (id),
    number   BIGINT NOT NULL,
    due      TEXT   NOT NULL,
    amount   BIGINT NOT NULL,
    CONSTRAINT payment_parts_claim PRIMARY KEY (claim_id, number)
);

-- Money on the treasury account, one row a transaction of the bank. Negative: the bank took it back.
CREATE TABLE payment_receipts (
    id            TEXT   NOT NULL,
    account       TEXT   NOT NULL,
    -- The bank's own number of the transaction: what tells one from another, by whatever way it came.
    bank_id       TEXT   NOT NULL,
    amount        BIGINT NOT NULL,
    paid_on       TEXT   NOT NULL,
    purpose       TEXT   NOT NULL,
    payer         TEXT   NOT NULL,
    payer_account TEXT   NOT NULL,
    payer_bank    TEXT   NOT NULL,
    -- statement or notification.
    source        TEXT   NOT NULL,
    received_at   BIGINT NOT NULL,
    -- unmatched, assigned, refunding, refunded or taken_back.
    state         TEXT   NOT NULL,
    claim_id      TEXT   REFERENCES payment_claims (id),
    -- Who assigned it by hand, and why; absent where its reference did.
    decided_by    TEXT   REFERENCES users (id),
    note          TEXT,
    -- The audit names a digest of all this, not the payer; the salt keeps it from being guessed.
    salt          TEXT   NOT NULL,
    version       BIGINT NOT NULL,
    CONSTRAINT payment_receipts_id PRIMARY KEY (id),
    CONSTRAINT payment_receipts_bank UNIQUE (account, bank_id),
    CONSTRAINT payment_receipts_amount CHECK (amount <> 0),
    CONSTRAINT payment_receipts_assigned CHECK ((state = 'assigned') = (claim_id IS NOT NULL))
);
CREATE INDEX payment_receipts_claim ON payment_receipts (claim_id) WHERE claim_id IS NOT NULL;
CREATE INDEX payment_receipts_unmatched ON payment_receipts (paid_on, id) WHERE state = 'unmatched';

-- Money that goes back: of a claim's excess, or of a receipt that is not ours.
CREATE TABLE payment_refunds (
    id           TEXT   NOT NULL,
    claim_id     TEXT   REFERENCES payment_claims (id),
    receipt_id   TEXT   REFERENCES payment_receipts (id),
    amount       BIGINT NOT NULL,
    name         TEXT   NOT NULL,
    account      TEXT   NOT NULL,
    bank         TEXT   NOT NULL,
    note         TEXT   NOT NULL,
    -- requested, confirmed, exported, paid_out or dropped.
    state        TEXT   NOT NULL,
    asked_by     TEXT   NOT NULL REFERENCES users (id),
    asked_at     BIGINT NOT NULL,
    confirmed_by TEXT   REFERENCES users (id),
    confirmed_at BIGINT,
    -- The file for the bank that it stands in.
    batch        TEXT,
    ended_by     TEXT   REFERENCES users (id),
    paid_on      TEXT,
    salt         TEXT   NOT NULL,
    version      BIGINT NOT NULL,
    CONSTRAINT payment_refunds_id PRIMARY KEY (id),
    CONSTRAINT payment_refunds_amount CHECK (amount > 0),
    CONSTRAINT payment_refunds_of CHECK ((claim_id IS NULL) <> (receipt_id IS NULL)),
    CONSTRAINT payment_refunds_two_people CHECK (confirmed_by IS NULL OR confirmed_by <> asked_by),
    CONSTRAINT payment_refunds_confirmed CHECK (
        state NOT IN ('confirmed', 'exported', 'paid_out') OR confirmed_by IS NOT NULL
    ),
    CONSTRAINT payment_refunds_paid_out CHECK ((state = 'paid_out') = (paid_on IS NOT NULL))
);
CREATE UNIQUE INDEX payment_refunds_claim ON payment_refunds (claim_id)
    WHERE state IN ('requested', 'confirmed', 'exported');
CREATE UNIQUE INDEX payment_refunds_receipt ON payment_refunds (receipt_id)
    WHERE state IN ('requested', 'confirmed', 'exported');
CREATE INDEX payment_refunds_of_claim ON payment_refunds (claim_id) WHERE claim_id IS NOT NULL;
CREATE INDEX payment_refunds_waiting ON payment_refunds (asked_at, id)
    WHERE state IN ('requested', 'confirmed', 'exported');
CREATE INDEX payment_refunds_batch ON payment_refunds (batch) WHERE batch IS NOT NULL;

-- Every movement, twice: what one account gives, another gets. Nothing is changed or taken out.
CREATE TABLE payment_entries (
    booking    TEXT   NOT NULL,
    -- debtor, fine, surcharge, treasury or unmatched.
    account    TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    amount     BIGINT NOT NULL,
    claim_id   TEXT   REFERENCES payment_claims (id),
    receipt_id TEXT   REFERENCES payment_receipts (id),
    refund_id  TEXT   REFERENCES payment_refunds (id),
    day        TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    CONSTRAINT payment_entries_booking PRIMARY KEY (booking, account)
);
CREATE INDEX payment_entries_claim ON payment_entries (claim_id, at, booking)
    WHERE claim_id IS NOT NULL;

-- Notifications of the bank that were taken: each counts once.
CREATE TABLE payment_events (
    id     TEXT   NOT NULL,
    sha256 TEXT   NOT NULL,
    at     BIGINT NOT NULL,
    CONSTRAINT payment_events_id PRIMARY KEY (id)
);
