-- Several packages of one passage belong to one case: `cases.evidence_id` carries it, every package
-- of it names it as its `case_id`.
CREATE INDEX evidence_case ON evidence (case_id);

-- Packages of one number are taken one after another: each locks the slot of its number.
CREATE TABLE passage_locks (
    slot  BIGINT PRIMARY KEY,
    taken BIGINT NOT NULL
);
INSERT INTO passage_locks (slot, taken)
WITH RECURSIVE numbers (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < 63)
SELECT i, 0 FROM numbers;
