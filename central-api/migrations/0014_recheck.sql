-- Rejections of which a second person is asked, chosen by chance: 1 waits, 0 is done.
ALTER TABLE cases ADD COLUMN recheck BIGINT;
CREATE INDEX cases_recheck ON cases (act_at, id) WHERE recheck = 1;
