-- Version 8. Stock in doubt: pieces that may have left a canister beyond what was counted, or may not have left it.

-- True level = canister.level - x with least <= x <= most, summed over the open rows of the canister (controller/stock/doubt.h).
CREATE TABLE stock_doubt (
  id INTEGER PRIMARY KEY,
  canister_id INTEGER NOT NULL REFERENCES canister (id),
  fill_id INTEGER REFERENCES fill (id), -- NULL: pouches that the store does not know
  entry INTEGER,                     -- of the fill
  least INTEGER NOT NULL CHECK (least <= 0),
  most INTEGER NOT NULL CHECK (most >= 0),
  why TEXT NOT NULL,
  opened_ms INTEGER NOT NULL,
  settled_ms INTEGER,
  settled_by TEXT,
  settled_how TEXT CHECK (settled_how IN ('counted', 'emptied', 'result')),
  CHECK ((settled_ms IS NULL) = (settled_by IS NULL) AND (settled_ms IS NULL) = (settled_how IS NULL))
) STRICT;
CREATE INDEX stock_doubt_open ON stock_doubt (canister_id) WHERE settled_ms IS NULL;
CREATE INDEX stock_doubt_fill ON stock_doubt (fill_id);
