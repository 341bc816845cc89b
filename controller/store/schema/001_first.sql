-- Version 1. Every table is STRICT; instants are ms since 1970 UTC (column *_ms), days count from 1970-01-01 (*_day),
-- amounts are milli-pieces or whole pieces as the name says. Rows that a pharmacist signed or a machine made are never
-- updated in what they say, only in where they stand.

CREATE TABLE site (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

-- People who may act. Never deleted, only disabled.
CREATE TABLE user (
  id INTEGER PRIMARY KEY,
  login TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('technician', 'pharmacist')),
  password TEXT NOT NULL,            -- Argon2id string
  public_key BLOB NOT NULL,          -- Ed25519
  secret_key BLOB NOT NULL,          -- sealed under the password
  failed_logins INTEGER NOT NULL DEFAULT 0,
  locked_until_ms INTEGER NOT NULL DEFAULT 0,
  disabled INTEGER NOT NULL DEFAULT 0,
  created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE product (
  code TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  ingredient TEXT NOT NULL,
  strength TEXT NOT NULL,
  form TEXT NOT NULL,
  release TEXT NOT NULL,             -- IR, ER, DR or ''
  rxcui TEXT NOT NULL,               -- codes, one space between
  ndc TEXT NOT NULL,
  packable TEXT NOT NULL CHECK (packable IN ('yes', 'no', 'pharmacist')),
  halves INTEGER NOT NULL,           -- a half piece can be had
  look TEXT NOT NULL,
  note TEXT NOT NULL,
  provisional INTEGER NOT NULL,      -- derived from orders, nobody checked it
  row_hash BLOB NOT NULL,
  changed_ms INTEGER NOT NULL
) STRICT;
-- The codes of a product one by one, for looking it up. Several products may share one.
CREATE TABLE product_identifier (
  system TEXT NOT NULL CHECK (system IN ('rxcui', 'ndc')),
  value TEXT NOT NULL,
  product_code TEXT NOT NULL REFERENCES product (code),
  PRIMARY KEY (system, value, product_code)
) WITHOUT ROWID, STRICT;
CREATE INDEX product_identifier_product ON product_identifier (product_code);

CREATE TABLE patient (
  id INTEGER PRIMARY KEY,
  source_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  birth_day INTEGER,
  deceased INTEGER NOT NULL DEFAULT 0,
  day_template TEXT,                 -- JSON: wake, bed, meals; NULL: the site's
  content_hash BLOB NOT NULL,
  changed_ms INTEGER NOT NULL
) STRICT;

-- One row a version of an order; `current` marks the newest.
CREATE TABLE order_version (
  id INTEGER PRIMARY KEY,
  source_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  current INTEGER NOT NULL,
  patient_id INTEGER NOT NULL REFERENCES patient (id),
  status TEXT NOT NULL,              -- FHIR status as sent
  outcome TEXT NOT NULL CHECK (outcome IN ('packable', 'waiting', 'refused')),
  reasons TEXT NOT NULL,             -- JSON array of {code, text}
  drug_name TEXT NOT NULL,
  drug_codes TEXT NOT NULL,          -- JSON array of {system, code}
  product_code TEXT REFERENCES product (code),
  reading TEXT,                      -- JSON sachet-reading/1; NULL when nothing could be read
  dosage TEXT,                       -- JSON, FHIR R4 Dosage array of the reading
  original TEXT NOT NULL,            -- the request as it came
  content_hash BLOB NOT NULL,        -- of original and of what it refers to
  file TEXT NOT NULL,                -- where it was read, with its line
  imported_ms INTEGER NOT NULL,
  UNIQUE (source_id, version)
) STRICT;
CREATE UNIQUE INDEX order_version_current ON order_version (source_id) WHERE current = 1;
CREATE INDEX order_version_patient ON order_version (patient_id) WHERE current = 1;

-- A plan is immutable; only its state moves on: draft -> signed -> superseded, or draft -> superseded.
CREATE TABLE plan (
  id INTEGER PRIMARY KEY,
  patient_id INTEGER NOT NULL REFERENCES patient (id),
  version INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('draft', 'signed', 'superseded')),
  start_day INTEGER NOT NULL,
  days INTEGER NOT NULL,
  text BLOB NOT NULL,                -- canonical bytes: what is signed and what is packed
  hash BLOB NOT NULL,                -- BLAKE2b-256 of text
  regimen TEXT NOT NULL,             -- JSON sachet-regimen/1
  schedule TEXT NOT NULL,            -- JSON sachet-schedule/1
  drugs INTEGER NOT NULL,
  times_written INTEGER NOT NULL,    -- times a day as the orders are written
  times_planned INTEGER NOT NULL,
  pouches INTEGER NOT NULL,
  provisional INTEGER NOT NULL,      -- some product of it is provisional
  created_ms INTEGER NOT NULL,
  UNIQUE (patient_id, version)
) STRICT;
CREATE TABLE plan_order (
  plan_id INTEGER NOT NULL REFERENCES plan (id),
  order_version_id INTEGER NOT NULL REFERENCES order_version (id),
  included INTEGER NOT NULL,         -- 0: listed apart, not in a pouch
  PRIMARY KEY (plan_id, order_version_id)
) STRICT;

CREATE TABLE signature (
  id INTEGER PRIMARY KEY,
  plan_id INTEGER NOT NULL REFERENCES plan (id),
  user_id INTEGER NOT NULL REFERENCES user (id),
  meaning TEXT NOT NULL,             -- 21 CFR 11.50: what the signature says
  signed_ms INTEGER NOT NULL,
  statement BLOB NOT NULL,           -- canonical bytes that were signed: meaning, name, time, plan hash
  signature BLOB NOT NULL
) STRICT;

-- A canister with its content. machine and bay say where it sits; NULL: on the shelf.
CREATE TABLE canister (
  id INTEGER PRIMARY KEY,            -- the number that the machine reads at the seat
  product_code TEXT NOT NULL REFERENCES product (code),
  piece TEXT NOT NULL CHECK (piece IN ('whole', 'half')),
  lot TEXT NOT NULL,
  expiry_day INTEGER NOT NULL,
  level INTEGER NOT NULL,            -- pieces by our books
  machine TEXT,
  bay INTEGER,
  changed_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX canister_seat ON canister (machine, bay) WHERE machine IS NOT NULL;

CREATE TABLE stock_move (
  id INTEGER PRIMARY KEY,
  canister_id INTEGER NOT NULL REFERENCES canister (id),
  fill_id INTEGER REFERENCES fill (id),
  kind TEXT NOT NULL CHECK (kind IN ('load', 'packed', 'voided', 'removed', 'corrected')),
  pieces INTEGER NOT NULL,           -- change of the level
  actor TEXT NOT NULL,
  moved_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX stock_move_canister ON stock_move (canister_id);

CREATE TABLE batch (
  id INTEGER PRIMARY KEY,
  machine TEXT NOT NULL,             -- its name in the site file
  state TEXT NOT NULL CHECK (state IN ('created', 'running', 'paused', 'stopped', 'done', 'cancelled')),
  note TEXT NOT NULL DEFAULT '',     -- why it stands where it stands, for people
  simulated INTEGER,                 -- NULL until a machine took it
  created_by TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  started_by TEXT,
  started_ms INTEGER,
  ended_ms INTEGER
) STRICT;
CREATE TABLE batch_plan (
  batch_id INTEGER NOT NULL REFERENCES batch (id),
  position INTEGER NOT NULL,
  plan_id INTEGER NOT NULL REFERENCES plan (id),
  PRIMARY KEY (batch_id, position),
  UNIQUE (batch_id, plan_id)
) STRICT;

-- One pouch to make. pouch_line is the pouch's own line of the plan text.
CREATE TABLE job (
  id INTEGER PRIMARY KEY,
  batch_id INTEGER NOT NULL REFERENCES batch (id),
  position INTEGER NOT NULL,
  plan_id INTEGER NOT NULL REFERENCES plan (id),
  pouch INTEGER NOT NULL,            -- number within the roll, from 1
  pouch_line TEXT NOT NULL,
  pouch_hash BLOB NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'good', 'cancelled', 'blocked')),
  note TEXT NOT NULL DEFAULT '',
  UNIQUE (batch_id, position)
) STRICT;
-- The same pouch of a plan is never wanted twice at a time, nor made twice.
CREATE UNIQUE INDEX job_once ON job (plan_id, pouch) WHERE state <> 'cancelled';
CREATE INDEX job_next ON job (batch_id, state, position);

-- Numbers of one physical machine, by its serial (rule C1: a number belongs to one job for ever).
CREATE TABLE machine (
  serial TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  simulated INTEGER NOT NULL,
  session INTEGER NOT NULL,
  next_seq INTEGER NOT NULL,         -- the next unused sequence number, from 1
  retired INTEGER NOT NULL,          -- W: results up to it are in `fill`
  boot INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL
) STRICT;

-- One attempt at a pouch: the intent is here before the first write to the machine.
CREATE TABLE fill (
  id INTEGER PRIMARY KEY,
  serial TEXT NOT NULL REFERENCES machine (serial),
  seq INTEGER NOT NULL,
  job_id INTEGER NOT NULL REFERENCES job (id),
  job_hash INTEGER NOT NULL,         -- 32 bits, as sent
  token TEXT NOT NULL,               -- number printed on the pouch
  state TEXT NOT NULL CHECK (state IN ('intended', 'good', 'void', 'cancelled')),
  reason TEXT NOT NULL DEFAULT '',
  remake_of INTEGER REFERENCES fill (id),
  intended_ms INTEGER NOT NULL,
  result_ms INTEGER,
  outcome INTEGER,                   -- as the machine said
  checks INTEGER,
  seal_min_dc INTEGER,
  seal_max_dc INTEGER,
  drop_ms INTEGER,
  seal_ms INTEGER,
  boot INTEGER,
  UNIQUE (serial, seq)
) STRICT;
CREATE INDEX fill_job ON fill (job_id);
CREATE INDEX fill_open ON fill (serial, seq) WHERE state = 'intended';
-- At most one good pouch a job, whatever else goes wrong.
CREATE UNIQUE INDEX fill_good_once ON fill (job_id) WHERE state = 'good';
CREATE TABLE fill_item (
  fill_id INTEGER NOT NULL REFERENCES fill (id),
  entry INTEGER NOT NULL,
  bay INTEGER NOT NULL,
  canister_id INTEGER NOT NULL REFERENCES canister (id),
  product_code TEXT NOT NULL,
  piece TEXT NOT NULL,
  lot TEXT NOT NULL,
  requested INTEGER NOT NULL,
  counted INTEGER,
  PRIMARY KEY (fill_id, entry)
) STRICT;

-- Wrong counts in a row of a bay with the canister that sat in it; a later load of the canister opens a lock.
CREATE TABLE bay (
  machine TEXT NOT NULL,
  bay INTEGER NOT NULL,
  canister_id INTEGER NOT NULL REFERENCES canister (id),
  bad_run INTEGER NOT NULL,
  locked INTEGER NOT NULL,
  note TEXT NOT NULL,                -- why it is locked
  changed_ms INTEGER NOT NULL,
  PRIMARY KEY (machine, bay)
) STRICT;

-- What people ask of the line; sachetd takes the rows in order.
CREATE TABLE command (
  id INTEGER PRIMARY KEY,
  machine TEXT NOT NULL,
  batch_id INTEGER REFERENCES batch (id),
  verb TEXT NOT NULL CHECK (verb IN ('start', 'pause', 'resume', 'cancel', 'stop', 'clear', 'reset', 'confirm',
                                     'adopt')),
  actor TEXT NOT NULL,
  asked_ms INTEGER NOT NULL,
  taken_ms INTEGER,
  result TEXT
) STRICT;
CREATE INDEX command_open ON command (machine, id) WHERE taken_ms IS NULL;

-- What the line last said of itself, for watchers. Written by sachetd alone.
CREATE TABLE machine_state (
  machine TEXT PRIMARY KEY,
  updated_ms INTEGER NOT NULL,
  state TEXT NOT NULL                -- JSON
) STRICT;

CREATE TABLE alarm (
  id INTEGER PRIMARY KEY,
  machine TEXT NOT NULL,
  number INTEGER NOT NULL,
  text TEXT NOT NULL,
  next_step TEXT NOT NULL,
  fill_id INTEGER REFERENCES fill (id),
  batch_id INTEGER REFERENCES batch (id),
  evidence TEXT NOT NULL,            -- JSON
  raised_ms INTEGER NOT NULL,
  cleared_ms INTEGER
) STRICT;

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,              -- JSON, ids only
  prev_hash BLOB NOT NULL,
  hash BLOB NOT NULL
) STRICT;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit table is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit table is append-only'); END;
