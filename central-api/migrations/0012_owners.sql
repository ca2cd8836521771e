-- The registration data that were imported, one row a vehicle: what the file of the registration
-- authority says, replaced by the next import.
CREATE TABLE registrations (
    plate        TEXT   NOT NULL,
    -- Car and motorbike may carry the same characters.
    two_wheeled  BIGINT NOT NULL,
    vehicle      TEXT   NOT NULL,
    plate_colour TEXT,
    make         TEXT   NOT NULL,
    paint        TEXT   NOT NULL,
    -- person or organisation.
    kind         TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    id_number    TEXT   NOT NULL,
    address      TEXT   NOT NULL,
    -- valid, sold, stolen or withdrawn.
    status       TEXT   NOT NULL,
    imported_at  BIGINT NOT NULL,
    CONSTRAINT registrations_plate PRIMARY KEY (plate, two_wheeled)
);

-- Who owns the vehicle of a case, and how that is known.
CREATE TABLE owners (
    case_id      TEXT   NOT NULL REFERENCES cases (id),
    -- identified: by the registry, without doubt. by_hand: a clerk must look. named: by a clerk.
    state        TEXT   NOT NULL,
    -- The number that was asked for.
    plate        TEXT   NOT NULL,
    -- Why a clerk must look; stays once one has.
    doubts       TEXT   NOT NULL,
    -- What the registry said, as JSON.
    registration TEXT,
    kind         TEXT,
    name         TEXT,
    id_number    TEXT,
    address      TEXT,
    asked_at     BIGINT NOT NULL,
    named_by     TEXT   REFERENCES users (id),
    named_at     BIGINT,
    note         TEXT,
    -- The audit names the digest of all this, not the person; the salt keeps it from being guessed.
    salt         TEXT   NOT NULL,
    version      BIGINT NOT NULL,
    CONSTRAINT owners_case PRIMARY KEY (case_id),
    CONSTRAINT owners_known CHECK (
        state = 'by_hand'
        OR (kind IS NOT NULL AND name IS NOT NULL AND address IS NOT NULL AND id_number IS NOT NULL)
    )
);
CREATE INDEX owners_by_hand ON owners (asked_at, case_id) WHERE state = 'by_hand';
