-- Devices, their evidence, the staff and the audit chain. One text for SQLite and PostgreSQL:
-- TEXT ids, BIGINT unix milliseconds, BIGINT 0/1, JSON as TEXT, no autoincrement.

CREATE TABLE devices (
    id            TEXT PRIMARY KEY,
    enrolled_at   BIGINT NOT NULL,
    revoked_at    BIGINT,
    -- End of the device's manifest chain; the digest is absent before the first.
    head_sequence BIGINT NOT NULL DEFAULT 0,
    head_digest   TEXT,
    seen_at       BIGINT
);

-- Sealing keys: old ones stay, so that old packages still verify after a change of keys.
CREATE TABLE device_keys (
    device_id TEXT   NOT NULL REFERENCES devices (id),
    key_id    TEXT   NOT NULL,
    pem       TEXT   NOT NULL,
    since     BIGINT NOT NULL,
    PRIMARY KEY (device_id, key_id)
);

-- Client certificates the CA has issued. Only those listed here and not revoked get in.
CREATE TABLE device_certificates (
    fingerprint TEXT   PRIMARY KEY,
    device_id   TEXT   NOT NULL REFERENCES devices (id),
    issued_at   BIGINT NOT NULL,
    not_after   BIGINT NOT NULL,
    revoked_at  BIGINT
);
CREATE INDEX device_certificates_device ON device_certificates (device_id);

-- One row a sealed manifest, kept word for word: the seal is over these bytes.
CREATE TABLE evidence (
    id              TEXT   NOT NULL,
    device_id       TEXT   NOT NULL REFERENCES devices (id),
    sequence        BIGINT NOT NULL,
    manifest        TEXT   NOT NULL,
    manifest_digest TEXT   NOT NULL,
    seal            TEXT   NOT NULL,
    key_id          TEXT   NOT NULL,
    captured_at     BIGINT NOT NULL,
    announced_at    BIGINT NOT NULL,
    -- When the package was whole and its case opened; the receipt carries this time.
    received_at     BIGINT,
    case_id         TEXT,
    CONSTRAINT evidence_id PRIMARY KEY (id),
    CONSTRAINT evidence_device_sequence UNIQUE (device_id, sequence)
);
CREATE INDEX evidence_open ON evidence (device_id, received_at);

CREATE TABLE evidence_files (
    evidence_id TEXT   NOT NULL REFERENCES evidence (id),
    name        TEXT   NOT NULL,
    role        TEXT   NOT NULL,
    media_type  TEXT   NOT NULL,
    sha256      TEXT   NOT NULL,
    bytes       BIGINT NOT NULL,
    -- When the whole file lay durable in the object store.
    stored_at   BIGINT,
    PRIMARY KEY (evidence_id, name)
);

CREATE TABLE users (
    id            TEXT   NOT NULL,
    login         TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    -- PHC string, argon2id.
    password      TEXT   NOT NULL,
    -- Role names, separated by one space.
    roles         TEXT   NOT NULL,
    disabled      BIGINT NOT NULL DEFAULT 0,
    created_at    BIGINT NOT NULL,
    CONSTRAINT users_id PRIMARY KEY (id),
    CONSTRAINT users_login UNIQUE (login)
);

CREATE TABLE sessions (
    -- SHA-256 of the cookie's token: a stolen database signs nobody in.
    token_hash TEXT   PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES users (id),
    csrf       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE audit (
    seq          BIGINT PRIMARY KEY,
    at           BIGINT NOT NULL,
    actor        TEXT   NOT NULL,
    action       TEXT   NOT NULL,
    subject_kind TEXT   NOT NULL,
    subject_id   TEXT   NOT NULL,
    detail       TEXT   NOT NULL,
    previous     TEXT   NOT NULL,
    hash         TEXT   NOT NULL
);
CREATE INDEX audit_subject ON audit (subject_kind, subject_id, seq);

-- The end of the audit chain; its one row is also the lock that orders the appends.
CREATE TABLE audit_head (
    id   BIGINT PRIMARY KEY CHECK (id = 1),
    seq  BIGINT NOT NULL,
    hash TEXT   NOT NULL
);
INSERT INTO audit_head (id, seq, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
