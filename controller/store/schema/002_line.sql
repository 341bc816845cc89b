-- Version 2. What the lines count, withdrawn jobs, evidence of alarms.

-- What each machine's line counted since sachetd started. Written by sachetd alone, every few seconds.
CREATE TABLE line_state (
  machine TEXT PRIMARY KEY,
  line TEXT NOT NULL,                -- "tcp HOST:PORT" or "rtu DEVICE"; machines on one line share it
  since_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  timeouts INTEGER NOT NULL,
  frame_errors INTEGER NOT NULL,     -- CRC, length, transaction id
  exceptions INTEGER NOT NULL,
  reconnects INTEGER NOT NULL,
  late INTEGER NOT NULL,             -- answers to another question, thrown away
  retries INTEGER NOT NULL,
  worst_ms INTEGER NOT NULL,
  p99_ms INTEGER NOT NULL,
  accepts INTEGER NOT NULL,          -- jobs that the machine took,
  accept_worst_ms INTEGER NOT NULL,  -- and the time from writing one until the mirror showed it
  accept_p99_ms INTEGER NOT NULL
) STRICT;

-- Pouches of a plan that shall not be made any more. Never deleted: what is wanted instead is a new plan.
CREATE TABLE withdrawn (
  id INTEGER PRIMARY KEY,            -- rising, so that sachetd sees new ones cheaply
  plan_id INTEGER NOT NULL REFERENCES plan (id),
  pouch INTEGER NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  withdrawn_ms INTEGER NOT NULL,
  UNIQUE (plan_id, pouch)
) STRICT;
