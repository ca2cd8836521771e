-- Cases that may show the same act: found by number and time, told apart by an officer in writing.

CREATE INDEX cases_same_act ON cases (plate, act_at);

-- The finding that two cases of one number are two acts. The lower id comes first.
CREATE TABLE distinct_acts (
    case_id    TEXT   NOT NULL REFERENCES cases (id),
    other_id   TEXT   NOT NULL REFERENCES cases (id),
    decided_by TEXT   NOT NULL REFERENCES users (id),
    decided_at BIGINT NOT NULL,
    note       TEXT   NOT NULL,
    CONSTRAINT distinct_acts_pair PRIMARY KEY (case_id, other_id),
    CONSTRAINT distinct_acts_order CHECK (case_id < other_id)
);
CREATE INDEX distinct_acts_other ON distinct_acts (other_id);
