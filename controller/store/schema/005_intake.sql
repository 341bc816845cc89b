-- Version 5. Exceptions and their resolution, messages received, what goes out.

-- A message as it came over the wire, durable before it is read; the answer is given again for the same bytes.
CREATE TABLE hl7_message (
  id INTEGER PRIMARY KEY,
  sender TEXT NOT NULL,              -- "MSH-3|MSH-4"
  control_id TEXT NOT NULL,          -- MSH-10
  body BLOB NOT NULL,
  body_hash BLOB NOT NULL,
  received_ms INTEGER NOT NULL,
  code TEXT CHECK (code IN ('AA', 'AE', 'AR')),
  answer BLOB,                       -- NULL: not read yet
  answered_ms INTEGER,
  UNIQUE (sender, control_id)
) STRICT;
CREATE INDEX hl7_message_pending ON hl7_message (id) WHERE answer IS NULL;
