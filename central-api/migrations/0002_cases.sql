-- Cases, notices and what the public pages must remember. One text for SQLite and PostgreSQL.

CREATE TABLE cases (
    id           TEXT   NOT NULL,
    evidence_id  TEXT   NOT NULL REFERENCES evidence (id),
    device_id    TEXT   NOT NULL,
    camera_id    TEXT   NOT NULL,
    place        TEXT   NOT NULL,
    rule         TEXT   NOT NULL,
    vehicle      TEXT   NOT NULL,
    -- As the lookup form asks: 1 car, 2 motorbike, 3 electric motorbike.
    vehicle_type BIGINT NOT NULL,
    act_at       BIGINT NOT NULL,
    received_at  BIGINT NOT NULL,
    notice_due   BIGINT,
    -- What the machine read is never overwritten; `plate` is what the case stands on.
    plate_read   TEXT,
    plate        TEXT,
    plate_colour TEXT,
    confidence   DOUBLE PRECISION,
    -- The officer who corrected the plate, if one did.
    plate_by     TEXT   REFERENCES users (id),
    -- The provision chosen by the act's time, as JSON; absent where no decree covers the act.
    law          TEXT,
    state        TEXT   NOT NULL,
    -- Grows with every transition: two officers never decide on the same version.
    version      BIGINT NOT NULL,
    reviewer     TEXT   REFERENCES users (id),
    reviewed_at  BIGINT,
    approver     TEXT   REFERENCES users (id),
    approved_at  BIGINT,
    -- Reason code and note of the last rejection or return.
    reason       TEXT,
    note         TEXT,
    CONSTRAINT cases_id PRIMARY KEY (id),
    CONSTRAINT cases_evidence UNIQUE (evidence_id),
    CONSTRAINT cases_two_people CHECK (reviewer IS NULL OR approver IS NULL OR reviewer <> approver),
    CONSTRAINT cases_decided CHECK (
        state NOT IN ('approved', 'notified')
        OR (reviewer IS NOT NULL AND approver IS NOT NULL AND plate IS NOT NULL AND law IS NOT NULL)
    )
);
CREATE INDEX cases_queue ON cases (state, act_at, id);
CREATE INDEX cases_plate ON cases (plate, vehicle_type);

-- One notice a case. Its PDF lies with the evidence as notice-<first 16 of sha256>.pdf.
CREATE TABLE notices (
    case_id   TEXT   NOT NULL REFERENCES cases (id),
    -- Random and unguessable: the only thing in the QR code's link.
    code      TEXT   NOT NULL,
    year      BIGINT NOT NULL,
    number    BIGINT NOT NULL,
    sha256    TEXT   NOT NULL,
    issued_at BIGINT NOT NULL,
    issued_by TEXT   NOT NULL REFERENCES users (id),
    CONSTRAINT notices_case PRIMARY KEY (case_id),
    CONSTRAINT notices_code UNIQUE (code),
    CONSTRAINT notices_number UNIQUE (year, number)
);

-- Last number given to a notice in a year.
CREATE TABLE notice_numbers (
    year BIGINT PRIMARY KEY,
    last BIGINT NOT NULL
);

-- Keys of this installation, made once and shared by every replica.
CREATE TABLE server_keys (
    name TEXT PRIMARY KEY,
    hex  TEXT NOT NULL
);

-- Captchas that were answered: none is taken twice.
CREATE TABLE captcha_used (
    id         TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT captcha_used_id PRIMARY KEY (id)
);
CREATE INDEX captcha_used_expiry ON captcha_used (expires_at);

-- Attempts in fixed windows, by a keyed hash of who tries: sign-ins and lookups.
CREATE TABLE attempts (
    who       TEXT   NOT NULL,
    window_at BIGINT NOT NULL,
    count     BIGINT NOT NULL,
    PRIMARY KEY (who, window_at)
);
CREATE INDEX attempts_window ON attempts (window_at);
