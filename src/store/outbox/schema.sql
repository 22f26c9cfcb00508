-- Times are microseconds since 1970, UTC. Words of states are domain::OpState's.
CREATE TABLE op (
  n INTEGER PRIMARY KEY AUTOINCREMENT,          -- the order of the intents
  id TEXT NOT NULL UNIQUE,
  account INTEGER NOT NULL,
  kind TEXT NOT NULL,
  object TEXT NOT NULL,
  entity TEXT NOT NULL,
  seq INTEGER NOT NULL,                         -- the order within one record
  payload TEXT NOT NULL,
  title TEXT NOT NULL,
  op_key TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('queued', 'in_flight', 'uncertain', 'landed', 'done',
                                       'conflict', 'held', 'dead', 'cancelled', 'superseded')),
  attempts INTEGER NOT NULL DEFAULT 0,          -- the ones that count
  claims INTEGER NOT NULL DEFAULT 0,            -- all of them
  ambiguous_sends INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER,
  epoch INTEGER,
  claimed_at INTEGER,
  remote_id TEXT,
  landed_version INTEGER,
  error TEXT,
  undo_of TEXT,
  superseded_by TEXT,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  UNIQUE (object, entity, seq)
) STRICT;
-- What the engine asks for all the time is a small part of a long history.
CREATE INDEX op_unfinished ON op (state, n) WHERE state NOT IN ('done', 'dead', 'cancelled', 'superseded');
CREATE INDEX op_state ON op (state);

CREATE TABLE attempt (
  op_id TEXT NOT NULL REFERENCES op (id),
  n INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  intent_at INTEGER NOT NULL,
  ended_at INTEGER,
  outcome TEXT,
  ambiguous INTEGER NOT NULL DEFAULT 0,
  http_status INTEGER,
  correlation_id TEXT,
  PRIMARY KEY (op_id, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE undo (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  op_id TEXT NOT NULL UNIQUE REFERENCES op (id),
  undone_at INTEGER,
  undone_by TEXT
) STRICT;

-- Whose sends count: the epoch grows with every process that takes over sending.
CREATE TABLE lease (only INTEGER PRIMARY KEY CHECK (only = 1), epoch INTEGER NOT NULL, since INTEGER NOT NULL) STRICT;
INSERT INTO lease (only, epoch, since) VALUES (1, 0, 0);

-- A record that was merged away, and the one that stands for it now.
CREATE TABLE alias (
  object TEXT NOT NULL,
  old_id TEXT NOT NULL,
  new_id TEXT NOT NULL,
  PRIMARY KEY (object, old_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE draft (key TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE value (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
