-- Proceedings with one row a case: what a step leaves is written whole, and its digest stands in the
-- audit. Each proceeding has its own states and its own content (JSON), which it alone reads.
CREATE TABLE proceedings (
    name       TEXT   NOT NULL,
    case_id    TEXT   NOT NULL REFERENCES cases (id),
    state      TEXT   NOT NULL,
    content    TEXT   NOT NULL,
    changed_at BIGINT NOT NULL,
    -- Keeps the digest from being guessed.
    salt       TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    CONSTRAINT proceedings_case PRIMARY KEY (case_id, name)
);
CREATE INDEX proceedings_state ON proceedings (name, state, changed_at, case_id);

-- The office that a member of staff signs decisions by, and the delegation of a deputy.
CREATE TABLE offices (
    user_id    TEXT   NOT NULL REFERENCES users (id),
    title      TEXT   NOT NULL,
    -- Number and date of the delegation where a deputy signs for the head.
    delegation TEXT,
    since      BIGINT NOT NULL,
    CONSTRAINT offices_user PRIMARY KEY (user_id)
);
