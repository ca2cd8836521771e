-- Recalls of cases by a fault: what a package was made with is findable, and who was affected is kept.
CREATE TABLE evidence_causes (
    -- model (its digest), config (of the camera), or camera (the one before, where an act is measured
    -- between two).
    kind        TEXT   NOT NULL,
    value       TEXT   NOT NULL,
    captured_at BIGINT NOT NULL,
    evidence_id TEXT   NOT NULL REFERENCES evidence (id),
    PRIMARY KEY (kind, value, captured_at, evidence_id)
);
CREATE INDEX cases_camera_act ON cases (camera_id, act_at, id);
CREATE INDEX cases_device_act ON cases (device_id, act_at, id);
CREATE INDEX cases_reviewer_act ON cases (reviewer, act_at, id);
CREATE INDEX cases_approver_act ON cases (approver, act_at, id);
CREATE INDEX cases_plate_by ON cases (plate_by, act_at, id);
CREATE INDEX cases_act_at ON cases (act_at, id);

CREATE TABLE recalls (
    id        TEXT   NOT NULL,
    -- model, config, camera, device, officer or law; and which.
    cause     TEXT   NOT NULL,
    value     TEXT   NOT NULL,
    -- Acts from and before.
    from_at   BIGINT NOT NULL,
    to_at     BIGINT NOT NULL,
    reason    TEXT   NOT NULL,
    opened_by TEXT   NOT NULL REFERENCES users (id),
    opened_at BIGINT NOT NULL,
    -- When every affected case was found.
    listed_at BIGINT,
    CONSTRAINT recalls_id PRIMARY KEY (id)
);
CREATE INDEX recalls_opened ON recalls (opened_at);

CREATE TABLE recalled (
    recall_id  TEXT NOT NULL REFERENCES recalls (id),
    case_id    TEXT NOT NULL REFERENCES cases (id),
    -- frozen, release_asked, released, annul_asked, annulling, annulled.
    state      TEXT NOT NULL,
    -- What these rules say of what was sealed: same, differs, unknown; absent until they were asked.
    judged     TEXT,
    asked_by   TEXT REFERENCES users (id),
    decided_by TEXT REFERENCES users (id),
    CONSTRAINT recalled_case PRIMARY KEY (case_id, recall_id),
    CONSTRAINT recalled_two_people CHECK (decided_by IS NULL OR decided_by <> asked_by)
);
CREATE INDEX recalled_state ON recalled (recall_id, state, case_id);
CREATE INDEX recalled_to_judge ON recalled (recall_id, case_id) WHERE judged IS NULL;

-- Packages of before this are traced by a job.
INSERT INTO jobs (id, key, task, asked_at, due_at)
SELECT 'trace-evidence', 'trace_evidence', '{"job":"trace_evidence","after":""}', 0, 0
WHERE EXISTS (SELECT 1 FROM evidence);
