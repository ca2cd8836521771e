-- Warnings to vehicle inspection, registration or the commune's police, and their way there.

CREATE TABLE warnings (
    case_id    TEXT   NOT NULL REFERENCES cases (id),
    -- no_show, unpaid
    cause      TEXT   NOT NULL,
    -- running: the term runs. warned. cleared: nobody is warned any more.
    state      TEXT   NOT NULL,
    -- What began the term.
    runs_from  BIGINT NOT NULL,
    warned_at  BIGINT,
    cleared_at BIGINT,
    why        TEXT,
    CONSTRAINT warnings_cause PRIMARY KEY (case_id, cause)
);
CREATE INDEX warnings_state ON warnings (cause, state, runs_from, case_id);

-- The one row numbers the messages, in the order in which their transactions commit.
CREATE TABLE warning_head (
    id  BIGINT PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL
);
INSERT INTO warning_head (id, seq) VALUES (1, 0);

-- Files of messages, in the order in which they are handed over.
CREATE TABLE warning_exports (
    number       BIGINT PRIMARY KEY,
    made_at      BIGINT NOT NULL,
    sha256       TEXT,
    delivered_at BIGINT
);

CREATE TABLE warning_messages (
    seq     BIGINT PRIMARY KEY,
    case_id TEXT   NOT NULL REFERENCES cases (id),
    cause   TEXT   NOT NULL,
    -- inspection, registration, commune
    target  TEXT   NOT NULL,
    -- warn, clear
    what    TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    -- What it says of the vehicle and the act, as JSON, the same when it is cleared.
    body    TEXT   NOT NULL,
    why     TEXT,
    export  BIGINT REFERENCES warning_exports (number)
);
CREATE INDEX warning_messages_case ON warning_messages (case_id, seq);
CREATE INDEX warning_messages_open ON warning_messages (seq) WHERE export IS NULL;
CREATE INDEX warning_messages_export ON warning_messages (export, seq);
