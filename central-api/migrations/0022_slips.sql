-- The receipt that a payer gets: a document of each payment on a claim. It stays on record when the payment
-- is taken off the claim again.
CREATE TABLE payment_slips (
    receipt_id TEXT NOT NULL REFERENCES payment_receipts (id),
    claim_id   TEXT NOT NULL REFERENCES payment_claims (id),
    code       TEXT NOT NULL REFERENCES documents (code),
    CONSTRAINT payment_slips_receipt PRIMARY KEY (receipt_id, claim_id)
);
CREATE INDEX payment_slips_claim ON payment_slips (claim_id);

-- What a registry may know of an owner beside name, number and address, as JSON.
ALTER TABLE registrations ADD COLUMN details TEXT;
