-- How each box said it is, the latest word only: what was before is in the monitoring.
CREATE TABLE device_reports (
    device_id   TEXT   PRIMARY KEY REFERENCES devices (id),
    received_at BIGINT NOT NULL,
    report      TEXT   NOT NULL
);
