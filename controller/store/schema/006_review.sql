-- Version 6. Clinical checks: what is known of a patient, and what pharmacists answered to findings.

-- What a patient does not tolerate (FHIR AllergyIntolerance, or entered by a pharmacist). Current rows are not ended.
CREATE TABLE patient_allergy (
  id INTEGER PRIMARY KEY,
  patient_id INTEGER NOT NULL REFERENCES patient (id),
  source_id TEXT NOT NULL,           -- id of the resource, or 'local:N'
  substance TEXT NOT NULL,           -- words, as sent
  codes TEXT NOT NULL,               -- JSON array of {system, code}
  criticality TEXT NOT NULL CHECK (criticality IN ('low', 'high', 'unable-to-assess')),
  actor TEXT NOT NULL,               -- who entered it: a login, or the importer
  recorded_ms INTEGER NOT NULL,
  ended_ms INTEGER,                  -- resolved, refuted, entered in error, or replaced by a newer row
  ended_why TEXT
) STRICT;
CREATE UNIQUE INDEX patient_allergy_current ON patient_allergy (source_id) WHERE ended_ms IS NULL;
CREATE INDEX patient_allergy_patient ON patient_allergy (patient_id) WHERE ended_ms IS NULL;

-- Pregnancy, breastfeeding, kidney function. value: mL/min/1.73 m2 for egfr, else 1.
CREATE TABLE patient_condition (
  id INTEGER PRIMARY KEY,
  patient_id INTEGER NOT NULL REFERENCES patient (id),
  kind TEXT NOT NULL CHECK (kind IN ('pregnant', 'breastfeeding', 'egfr')),
  value INTEGER NOT NULL,
  until_day INTEGER,                 -- last day on which it holds; NULL: until it is ended
  actor TEXT NOT NULL,
  recorded_ms INTEGER NOT NULL,
  ended_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX patient_condition_current ON patient_condition (patient_id, kind) WHERE ended_ms IS NULL;

-- A pharmacist's answer to a finding: it stands aside until a day, with a reason. Never changed, only withdrawn.
CREATE TABLE clinical_answer (
  id INTEGER PRIMARY KEY,
  patient_id INTEGER NOT NULL REFERENCES patient (id),
  finding TEXT NOT NULL,             -- key of the finding: rule and drugs, not the words of its text
  text TEXT NOT NULL,                -- what was shown when it was answered
  reason TEXT NOT NULL,
  until_day INTEGER NOT NULL,        -- last day on which it holds
  user_id INTEGER NOT NULL REFERENCES user (id),
  answered_ms INTEGER NOT NULL,
  withdrawn_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX clinical_answer_current ON clinical_answer (patient_id, finding) WHERE withdrawn_ms IS NULL;

-- The findings a signer saw: their canonical text, whose hash is in the signed statement.
CREATE TABLE signature_findings (
  signature_id INTEGER PRIMARY KEY REFERENCES signature (id),
  text BLOB NOT NULL
) STRICT;

-- What pharmacists asked of a patient's plans (controller/plan/edit.h). Never changed, only ended.
CREATE TABLE plan_edit (
  id INTEGER PRIMARY KEY,
  patient_id INTEGER NOT NULL REFERENCES patient (id),
  kind TEXT NOT NULL CHECK (kind IN ('pin', 'forbid', 'product', 'switch')),
  order_source TEXT NOT NULL,        -- source id of the order, '' for all
  value TEXT NOT NULL,
  reason TEXT NOT NULL,
  login TEXT NOT NULL,
  made_ms INTEGER NOT NULL,
  ended_by TEXT,
  ended_ms INTEGER
) STRICT;
CREATE INDEX plan_edit_patient ON plan_edit (patient_id) WHERE ended_ms IS NULL;

-- Release of a packed roll. What a pharmacist decided about a flagged pouch; the last row of a pouch counts.
CREATE TABLE release_decision (
  id INTEGER PRIMARY KEY,
  plan_id INTEGER NOT NULL REFERENCES plan (id),
  pouch INTEGER NOT NULL,
  flag TEXT NOT NULL,                -- what was decided about: another flag asks again
  decision TEXT NOT NULL CHECK (decision IN ('accept', 'reject')),
  reason TEXT NOT NULL,
  user_id INTEGER NOT NULL REFERENCES user (id),
  decided_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX release_decision_plan ON release_decision (plan_id, pouch, id);

-- Seeded challenges: what was shown of a pouch, and whether the pharmacist said right or wrong.
CREATE TABLE release_challenge (
  plan_id INTEGER NOT NULL REFERENCES plan (id),
  user_id INTEGER NOT NULL REFERENCES user (id),
  round INTEGER NOT NULL,
  number INTEGER NOT NULL,
  pouch INTEGER NOT NULL,
  shown TEXT NOT NULL,
  altered INTEGER NOT NULL,
  answer TEXT NOT NULL CHECK (answer IN ('right', 'wrong')),
  answered_ms INTEGER NOT NULL,
  PRIMARY KEY (plan_id, user_id, round, number)
) WITHOUT ROWID, STRICT;

CREATE TABLE release_signature (
  plan_id INTEGER PRIMARY KEY REFERENCES plan (id),
  user_id INTEGER NOT NULL REFERENCES user (id),
  simulated INTEGER NOT NULL,        -- a simulated roll is never dispensed
  signed_ms INTEGER NOT NULL,
  statement BLOB NOT NULL,
  signature BLOB NOT NULL
) STRICT;

-- Signing keys that ended. revoked_from_ms: what it signed from then on does not hold.
CREATE TABLE user_key (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES user (id),
  public_key BLOB NOT NULL,
  ended_ms INTEGER NOT NULL,
  revoked_from_ms INTEGER,
  reason TEXT,
  UNIQUE (user_id, public_key)
) STRICT;
