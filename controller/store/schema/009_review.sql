-- Version 9. Overrides of packing rules.

-- A pharmacist's word that a product may be packed although a rule leaves it to him. Never changed, only ended.
CREATE TABLE packing_override (
  id INTEGER PRIMARY KEY,
  product_code TEXT NOT NULL REFERENCES product (code),
  rule TEXT NOT NULL,                -- id of the rule that decides, or 'formulary'
  rule_hash BLOB NOT NULL,           -- of what the rules said that asked: another text asks again
  red INTEGER NOT NULL,              -- holds only with a second person's word
  reason TEXT NOT NULL,
  from_day INTEGER NOT NULL,
  until_day INTEGER NOT NULL         -- last day on which it holds
) STRICT;
CREATE INDEX packing_override_product ON packing_override (product_code);
-- Who stands for it: the first person, and of a red one the second; each signed the whole of it.
CREATE TABLE packing_override_word (
  override_id INTEGER NOT NULL REFERENCES packing_override (id),
  place INTEGER NOT NULL CHECK (place IN (1, 2)),
  user_id INTEGER NOT NULL REFERENCES user (id),
  said_ms INTEGER NOT NULL,
  signature BLOB NOT NULL,
  PRIMARY KEY (override_id, place),
  UNIQUE (override_id, user_id)      -- never the same person twice
) STRICT;
CREATE TABLE packing_override_end (
  override_id INTEGER PRIMARY KEY REFERENCES packing_override (id),
  user_id INTEGER NOT NULL REFERENCES user (id),
  reason TEXT NOT NULL,
  ended_ms INTEGER NOT NULL
) STRICT;

-- Whoever relies on a row asks the chain what was said of it last.
CREATE INDEX audit_subject ON audit (subject, seq);

-- What a patient, or who may speak for him, agreed to. Never changed, only ended.
CREATE TABLE patient_consent (
  id INTEGER PRIMARY KEY,
  patient_id INTEGER NOT NULL REFERENCES patient (id),
  kind TEXT NOT NULL CHECK (kind IN ('packing', 'outer', 'declined')),
  given_by TEXT NOT NULL CHECK (given_by IN ('patient', 'carer', 'prescriber', 'house')),
  from_day INTEGER NOT NULL,
  until_day INTEGER,                 -- last day; NULL: until it is taken back
  note TEXT NOT NULL,
  actor TEXT NOT NULL,
  recorded_ms INTEGER NOT NULL,
  ended_by TEXT,
  ended_ms INTEGER
) STRICT;
CREATE INDEX patient_consent_patient ON patient_consent (patient_id) WHERE ended_ms IS NULL;
