-- Version 7. Which physical machine stands where the site file names one, and on whose word.

-- Another serial under the same name does nothing before a person adopts it, or the site file names it.
CREATE TABLE machine_place (
  machine TEXT PRIMARY KEY,          -- its name in the site file
  serial TEXT NOT NULL REFERENCES machine (serial),
  actor TEXT NOT NULL,               -- who said so: a login, 'site file', or 'sachetd' for the first one
  since_ms INTEGER NOT NULL
) STRICT;

-- Until now the last one that was seen stood there. SQLite takes the other columns from the row of the maximum.
INSERT INTO machine_place (machine, serial, actor, since_ms)
  SELECT name, serial, 'sachetd', max(seen_ms) FROM machine GROUP BY name;
