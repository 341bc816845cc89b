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

-- What a pharmacist said to an order that waited. It stands on top of the order's content and dies with it: another
-- content has another hash, and then it is looked at by nobody.
CREATE TABLE order_resolution (
  id INTEGER PRIMARY KEY,
  source_id TEXT NOT NULL,
  content_hash BLOB NOT NULL,        -- of the order's original that the pharmacist saw
  kind TEXT NOT NULL CHECK (kind IN ('completed', 'refused')),
  accepts TEXT NOT NULL,             -- reasons that are settled by it, one space between; no other is
  product_code TEXT REFERENCES product (code), -- NULL: as the order leads to
  dosage TEXT,                       -- JSON, FHIR R4 Dosage array; NULL: as the order says
  because TEXT NOT NULL,
  actor TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  ended_ms INTEGER                   -- replaced or taken back
) STRICT;
CREATE UNIQUE INDEX order_resolution_live ON order_resolution (source_id, content_hash) WHERE ended_ms IS NULL;
