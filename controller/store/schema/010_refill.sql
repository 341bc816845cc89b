-- Version 10. Which bill a fill of a plan is.

-- A fill is known by its prescription, its date, and how many bills of both were facts already when its plan was
-- made: after a loss the same day can be billed again, while two versions of one plan carry one bill. No row: 0.
CREATE TABLE plan_fill_nth (
  plan_id INTEGER NOT NULL,
  order_source_id TEXT NOT NULL,
  nth INTEGER NOT NULL CHECK (nth > 0),
  PRIMARY KEY (plan_id, order_source_id),
  FOREIGN KEY (plan_id, order_source_id) REFERENCES plan_fill (plan_id, order_source_id)
) STRICT;
