-- Contacts of one's own that are pushed to HubSpot. What became of each is read off its newest operation.
CREATE TABLE contact (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  email TEXT NOT NULL UNIQUE,                   -- folded
  properties TEXT NOT NULL,
  landed TEXT,                                  -- what HubSpot took last from here; without what is on the wire
  decision TEXT NOT NULL CHECK (decision IN ('Selected', 'Queued', 'Skipped')),
  op_id TEXT REFERENCES op (id),                -- the newest one
  hubspot_id TEXT,                              -- as the operation that landed last, or the mirror, knew it
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,                  -- of the values
  decided_at INTEGER NOT NULL
) STRICT;
-- The queries repeat the conditions word for word: else a partial index is not used.
CREATE INDEX contact_waiting ON contact (n) WHERE decision = 'Queued' AND op_id IS NULL;
CREATE INDEX contact_selected ON contact (updated_at, n) WHERE decision = 'Selected';
CREATE INDEX contact_op ON contact (op_id) WHERE op_id IS NOT NULL;
CREATE INDEX contact_hubspot ON contact (hubspot_id) WHERE hubspot_id IS NOT NULL;
