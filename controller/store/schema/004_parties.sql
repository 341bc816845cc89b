-- Version 4. Messages with payers, prescribers, patients and the pharmacy's own queue.

-- What was asked of whom (controller/parties/kind.h has the words).
CREATE TABLE task (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  patient_id INTEGER REFERENCES patient (id), -- NULL: the pharmacy's own
  subject TEXT NOT NULL,             -- the opener's key: one task each
  state TEXT NOT NULL CHECK (state IN ('draft', 'requested', 'received', 'accepted', 'in-progress', 'on-hold',
                                       'rejected', 'completed', 'cancelled', 'failed')),
  level TEXT NOT NULL CHECK (level IN ('calm', 'reminded', 'urgent', 'overdue')),
  facts TEXT NOT NULL,               -- JSON
  opened_day INTEGER NOT NULL,
  due_day INTEGER NOT NULL,
  revision INTEGER NOT NULL,         -- rises with what the other side must hear
  sent INTEGER NOT NULL DEFAULT 0,   -- the revision last written out
  note TEXT NOT NULL DEFAULT '',
  opened_by TEXT NOT NULL,
  opened_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL
) STRICT;
-- The same thing is never asked twice at a time.
CREATE UNIQUE INDEX task_once ON task (kind, ifnull(patient_id, 0), subject)
  WHERE state NOT IN ('rejected', 'completed', 'cancelled', 'failed');
CREATE INDEX task_key ON task (kind, subject);
CREATE INDEX task_patient ON task (patient_id);
CREATE INDEX task_unsent ON task (id) WHERE sent < revision;

CREATE TABLE task_history (
  id INTEGER PRIMARY KEY,
  task_id INTEGER NOT NULL REFERENCES task (id),
  state TEXT NOT NULL,
  level TEXT NOT NULL,
  revision INTEGER NOT NULL,
  why TEXT NOT NULL,
  actor TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX task_history_task ON task_history (task_id);

CREATE TABLE task_answer (
  id INTEGER PRIMARY KEY,
  task_id INTEGER NOT NULL REFERENCES task (id),
  result TEXT NOT NULL CHECK (result IN ('approved', 'changed', 'denied', 'too-soon', 'needs-more', 'done')),
  stands INTEGER NOT NULL,           -- 1: the one that counts
  until_day INTEGER,
  facts TEXT NOT NULL,               -- JSON
  reference TEXT NOT NULL,           -- the other side's number
  note TEXT NOT NULL,
  source TEXT NOT NULL,              -- resource and id, or 'by hand'
  actor TEXT NOT NULL,
  answered_ms INTEGER NOT NULL,
  answered_day INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX task_answer_stands ON task_answer (task_id) WHERE stands = 1;
CREATE INDEX task_answer_task ON task_answer (task_id);

-- What was written out: one row a file, by its name.
CREATE TABLE outbox_file (
  name TEXT PRIMARY KEY,             -- within the outbox folder
  task_id INTEGER REFERENCES task (id),
  plan_id INTEGER REFERENCES plan (id),
  hash BLOB NOT NULL,
  written_ms INTEGER NOT NULL
) STRICT;

-- What was read in, once each: by the resource's type, id and version (or its hash where it has none).
CREATE TABLE inbox_resource (
  key TEXT PRIMARY KEY,
  hash BLOB NOT NULL,
  task_id INTEGER REFERENCES task (id),
  file TEXT NOT NULL,
  outcome TEXT NOT NULL,             -- what became of it
  read_ms INTEGER NOT NULL
) STRICT;
