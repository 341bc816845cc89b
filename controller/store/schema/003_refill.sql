-- Version 3. Refill cycles: anchors, dispensing history, authority, changes in mid-cycle.
-- Facts are only ever added; what they mean today is worked out each time (controller/refill/refill.h).

-- The date on which a patient's cycles begin, and its length. The newest row counts.
CREATE TABLE refill_anchor (
  id INTEGER PRIMARY KEY,
  patient_id INTEGER NOT NULL REFERENCES patient (id),
  anchor_day INTEGER NOT NULL,       -- cycles begin on the days congruent to it
  cycle_days INTEGER NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  set_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX refill_anchor_patient ON refill_anchor (patient_id, id);

-- What the patient has beside the pouches, as a person counted it; or until when it was assumed to last.
CREATE TABLE supply_count (
  id INTEGER PRIMARY KEY,
  patient_id INTEGER NOT NULL REFERENCES patient (id),
  product_code TEXT NOT NULL,
  day INTEGER NOT NULL,              -- at the start of this day, before its doses
  pieces_milli INTEGER,              -- counted
  until_day INTEGER,                 -- assumed: there is enough before this day, nothing from it on
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  recorded_ms INTEGER NOT NULL,
  CHECK ((pieces_milli IS NULL) <> (until_day IS NULL))
) STRICT;
CREATE INDEX supply_count_product ON supply_count (patient_id, product_code, id);

-- Dispensing history: what was handed out or billed elsewhere, one row a version of a record.
CREATE TABLE dispense (
  id INTEGER PRIMARY KEY,
  source_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  current INTEGER NOT NULL,
  patient_id INTEGER NOT NULL REFERENCES patient (id),
  order_source_id TEXT NOT NULL,     -- the prescription it was drawn from, '' unknown
  product_code TEXT,                 -- NULL: no product of ours, counts for nothing
  status TEXT NOT NULL,              -- as sent; only 'completed' counts
  day INTEGER NOT NULL,
  days_supply INTEGER,
  pieces_milli INTEGER,
  content_hash BLOB NOT NULL,
  file TEXT NOT NULL,
  actor TEXT NOT NULL,
  recorded_ms INTEGER NOT NULL,
  UNIQUE (source_id, version)
) STRICT;
CREATE UNIQUE INDEX dispense_current ON dispense (source_id) WHERE current = 1;
CREATE INDEX dispense_patient ON dispense (patient_id) WHERE current = 1;

-- What the site knows of paying and dispensing a product; NULL: the site file's word holds.
CREATE TABLE product_terms (
  product_code TEXT PRIMARY KEY,
  schedule INTEGER NOT NULL,         -- 0, 2..5
  usual_days INTEGER,
  min_days INTEGER,
  pack_days INTEGER,                 -- unit of use: only whole packs
  pack_pieces INTEGER,
  threshold_pct INTEGER,
  copay_cents INTEGER NOT NULL,
  prorated INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL
) STRICT;

-- What happened to a patient's cycle, as told by a person, an imported order or an answer.
CREATE TABLE refill_event (
  id INTEGER PRIMARY KEY,
  patient_id INTEGER NOT NULL REFERENCES patient (id),
  kind TEXT NOT NULL CHECK (kind IN ('new', 'stop', 'dose', 'hospital', 'discharge', 'lost', 'claim-rejected',
                                     'override-granted', 'renewal-denied', 'anchor', 'prior-auth')),
  order_source_id TEXT NOT NULL,     -- '' for the patient as a whole
  product_code TEXT NOT NULL,        -- '' unknown
  day INTEGER NOT NULL,              -- from this day on; of claim-rejected: the payer's date
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  source TEXT NOT NULL UNIQUE,       -- what it came from; the same thing is never noted twice
  recorded_day INTEGER NOT NULL,
  recorded_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX refill_event_patient ON refill_event (patient_id, id);

-- A pharmacist's word on the next fill of a prescription.
CREATE TABLE refill_lock (
  id INTEGER PRIMARY KEY,
  patient_id INTEGER NOT NULL REFERENCES patient (id),
  kind TEXT NOT NULL CHECK (kind IN ('fill', 'qty')),
  order_source_id TEXT NOT NULL,
  day INTEGER,
  units INTEGER,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  set_ms INTEGER NOT NULL,
  lifted_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX refill_lock_once ON refill_lock (patient_id, kind, order_source_id) WHERE lifted_ms IS NULL;

-- Why a version of a plan was made. What it replaces was superseded for this reason.
CREATE TABLE plan_reason (
  plan_id INTEGER PRIMARY KEY REFERENCES plan (id),
  anchor_day INTEGER NOT NULL,       -- of the cycle that the plan is for
  reason TEXT NOT NULL,
  actor TEXT NOT NULL
) STRICT;
-- The fills that go with a plan's roll. They become facts with its first good pouch.
CREATE TABLE plan_fill (
  plan_id INTEGER NOT NULL REFERENCES plan (id),
  order_source_id TEXT NOT NULL,
  product_code TEXT NOT NULL,
  day INTEGER NOT NULL,
  days INTEGER NOT NULL,
  pieces_milli INTEGER NOT NULL,
  kind TEXT NOT NULL,
  PRIMARY KEY (plan_id, order_source_id)
) STRICT;

-- A roll, or a part of one, left the house.
CREATE TABLE handover (
  id INTEGER PRIMARY KEY,
  patient_id INTEGER NOT NULL REFERENCES patient (id),
  plan_id INTEGER NOT NULL REFERENCES plan (id),
  day INTEGER NOT NULL,
  note TEXT NOT NULL,
  actor TEXT NOT NULL,
  handed_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE handover_pouch (
  job_id INTEGER PRIMARY KEY REFERENCES job (id),
  handover_id INTEGER NOT NULL REFERENCES handover (id)
) STRICT;
CREATE INDEX handover_pouch_handover ON handover_pouch (handover_id);

-- Made pouches that must not be taken any more. 'recalled': its pieces do not count as used; 'lost': they do.
CREATE TABLE pouch_recall (
  job_id INTEGER PRIMARY KEY REFERENCES job (id),
  kind TEXT NOT NULL CHECK (kind IN ('recalled', 'lost')),
  reason TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  asked_ms INTEGER NOT NULL,
  done_by TEXT,                      -- who holds it now or saw it destroyed
  done_ms INTEGER
) STRICT;
CREATE INDEX pouch_recall_open ON pouch_recall (job_id) WHERE done_ms IS NULL;
-- A made pouch of an earlier plan that serves in a newer one, so that it is not made again.
CREATE TABLE pouch_kept (
  plan_id INTEGER NOT NULL REFERENCES plan (id),
  pouch INTEGER NOT NULL,
  job_id INTEGER NOT NULL REFERENCES job (id),
  PRIMARY KEY (plan_id, pouch)
) STRICT;
