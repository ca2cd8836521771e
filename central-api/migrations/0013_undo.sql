-- Who asked that a notice be withdrawn: another person must agree.
ALTER TABLE cases ADD COLUMN undone_by TEXT REFERENCES users (id);
-- `cases_decided` of 0002 names only the states that there were then: SQLite changes no CHECK. What a
-- hand writes beyond it, `verify` names.
