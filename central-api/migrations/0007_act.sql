-- Acts are named by the law's key, whoever sees them; a rule is what a camera judges by.
ALTER TABLE cases RENAME COLUMN rule TO act;
