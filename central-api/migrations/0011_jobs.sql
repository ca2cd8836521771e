-- Work that is too slow for the transaction that causes it: asked for in that transaction, done after
-- it. A job that is done is gone; what it did stands in the audit.
CREATE TABLE jobs (
    id       TEXT   NOT NULL,
    -- Names the work: the same is asked for once.
    key      TEXT   NOT NULL,
    -- What is to be done, as JSON.
    task     TEXT   NOT NULL,
    asked_at BIGINT NOT NULL,
    -- From when a worker may take it. Whoever takes it moves this on, so that a worker that dies
    -- loses it to the next one. Absent of a job that was given up.
    due_at   BIGINT,
    attempts BIGINT NOT NULL DEFAULT 0,
    -- Of the last taking: only who took it last may end it.
    ticket   TEXT,
    -- Why the last attempt failed, without personal data, and when the job was given up.
    error    TEXT,
    dead_at  BIGINT,
    CONSTRAINT jobs_id PRIMARY KEY (id),
    CONSTRAINT jobs_key UNIQUE (key),
    CONSTRAINT jobs_due_or_dead CHECK ((due_at IS NULL) <> (dead_at IS NULL))
);
CREATE INDEX jobs_due ON jobs (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX jobs_dead ON jobs (dead_at, id) WHERE dead_at IS NOT NULL;

-- Number and code of a notice that is being printed: an attempt that fails keeps them for the next,
-- so that numbers have no gaps though the printing is outside every transaction.
CREATE TABLE notice_drafts (
    case_id TEXT   NOT NULL REFERENCES cases (id),
    code    TEXT   NOT NULL,
    year    BIGINT NOT NULL,
    number  BIGINT NOT NULL,
    CONSTRAINT notice_drafts_case PRIMARY KEY (case_id),
    CONSTRAINT notice_drafts_code UNIQUE (code),
    CONSTRAINT notice_drafts_number UNIQUE (year, number)
);
