-- Who had a hand in a case beside its reviewer and approver: whoever drew minutes, noted an explanation,
-- named the owner, proposed, signed or undid something. A recall finds their cases by it.
CREATE TABLE case_hands (
    case_id TEXT   NOT NULL REFERENCES cases (id),
    user_id TEXT   NOT NULL REFERENCES users (id),
    act_at  BIGINT NOT NULL,
    CONSTRAINT case_hands_case PRIMARY KEY (case_id, user_id)
);
CREATE INDEX case_hands_user ON case_hands (user_id, act_at, case_id);
INSERT INTO case_hands (case_id, user_id, act_at)
SELECT c.id, d.issued_by, c.act_at FROM documents d JOIN cases c ON c.id = d.case_id
UNION
SELECT c.id, u.id, c.act_at
FROM audit a JOIN cases c ON c.id = a.subject_id
    JOIN users u ON a.detail LIKE '%"by":"' || u.id || '"%'
WHERE a.subject_kind = 'case'
    AND (a.action LIKE 'minutes.%' OR a.action LIKE 'decision.%' OR a.action LIKE 'owner.%');

-- From here on the audit says which rows of deliveries, warnings, offices and recalls there are; of those
-- of before a job says it once.
INSERT INTO jobs (id, key, task, asked_at, due_at)
SELECT 'cover-records', 'cover_records', '{"job":"cover_records","table":0,"after":""}', 0, 0
WHERE EXISTS (SELECT 1 FROM cases) OR EXISTS (SELECT 1 FROM offices);
