-- What boxes may be given to run: signed descriptions, word for word; their files are in the object
-- store by digest.
CREATE TABLE releases (
    number       BIGINT PRIMARY KEY,
    version      TEXT   NOT NULL,
    target       TEXT   NOT NULL,
    key_id       TEXT   NOT NULL,
    manifest     TEXT   NOT NULL,
    seal         TEXT   NOT NULL,
    published_at BIGINT NOT NULL
);

-- The one a box is to run; none: what it has.
ALTER TABLE devices ADD COLUMN release_number BIGINT REFERENCES releases (number);
