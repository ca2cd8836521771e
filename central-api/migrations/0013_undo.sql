-- Who asked that a notice be withdrawn: another person must agree.
ALTER TABLE cases ADD COLUMN undone_by TEXT REFERENCES users (id);
