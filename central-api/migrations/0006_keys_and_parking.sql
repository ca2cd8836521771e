-- Sealing keys that were replaced, evidence that waits for an administrator, boxes that are stuck,
-- and the keys this database belongs to.

-- When a renewal replaced the key: old evidence verifies under it, newer is refused.
ALTER TABLE device_keys ADD COLUMN ended_at BIGINT;
UPDATE device_keys
SET ended_at = (SELECT MAX(k.since) FROM device_keys k WHERE k.device_id = device_keys.device_id)
WHERE since < (SELECT MAX(k.since) FROM device_keys k WHERE k.device_id = device_keys.device_id);

-- Why the package is kept without a case, and when an administrator closed it without one.
ALTER TABLE evidence ADD COLUMN parked TEXT;
ALTER TABLE evidence ADD COLUMN closed_at BIGINT;
CREATE INDEX evidence_parked ON evidence (parked) WHERE parked IS NOT NULL;

-- The refusal a box cannot get past; gone with the next manifest that is taken from it.
ALTER TABLE devices ADD COLUMN stuck_at BIGINT;
ALTER TABLE devices ADD COLUMN stuck_sequence BIGINT;
ALTER TABLE devices ADD COLUMN stuck_code TEXT;

-- Fingerprints of the CA and the receipt key that the enrolled boxes trust.
CREATE TABLE installation (
    name        TEXT   PRIMARY KEY,
    fingerprint TEXT   NOT NULL,
    since       BIGINT NOT NULL
);
