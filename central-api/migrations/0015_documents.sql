-- Documents of every kind have one table, one counter a kind and year, and drafts while they are
-- printed. The notices move in.
CREATE TABLE documents (
    kind      TEXT   NOT NULL,
    case_id   TEXT   NOT NULL REFERENCES cases (id),
    -- Random and unguessable: the only thing in a QR code's link.
    code      TEXT   NOT NULL,
    year      BIGINT NOT NULL,
    number    BIGINT NOT NULL,
    -- Its PDF lies with the evidence as <kind>-<first 16 of sha256>.pdf.
    sha256    TEXT   NOT NULL,
    issued_at BIGINT NOT NULL,
    issued_by TEXT   NOT NULL REFERENCES users (id),
    CONSTRAINT documents_code PRIMARY KEY (code),
    CONSTRAINT documents_number UNIQUE (kind, year, number)
);
CREATE INDEX documents_case ON documents (case_id, kind, issued_at);
-- One notice a case.
CREATE UNIQUE INDEX documents_notice ON documents (case_id) WHERE kind = 'notice';
INSERT INTO documents (kind, case_id, code, year, number, sha256, issued_at, issued_by)
SELECT 'notice', case_id, code, year, number, sha256, issued_at, issued_by FROM notices;
DROP TABLE notices;

CREATE TABLE document_numbers (
    kind TEXT   NOT NULL,
    year BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (kind, year)
);
INSERT INTO document_numbers (kind, year, last) SELECT 'notice', year, last FROM notice_numbers;
DROP TABLE notice_numbers;

CREATE TABLE document_drafts (
    kind    TEXT   NOT NULL,
    case_id TEXT   NOT NULL REFERENCES cases (id),
    code    TEXT   NOT NULL,
    year    BIGINT NOT NULL,
    number  BIGINT NOT NULL,
    CONSTRAINT document_drafts_case PRIMARY KEY (kind, case_id),
    CONSTRAINT document_drafts_code UNIQUE (code),
    CONSTRAINT document_drafts_number UNIQUE (kind, year, number)
);
INSERT INTO document_drafts (kind, case_id, code, year, number)
SELECT 'notice', case_id, code, year, number FROM notice_drafts;
DROP TABLE notice_drafts;
