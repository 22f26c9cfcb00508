-- Contacts of one's own that are pushed to HubSpot. What became of each is read off its newest operation.
CREATE TABLE contact (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  email TEXT NOT NULL UNIQUE,                   -- folded
  properties TEXT NOT NULL,
  decision TEXT NOT NULL CHECK (decision IN ('Selected', 'Queued', 'Skipped')),
  op_id TEXT REFERENCES op (id),                -- the newest one
  hubspot_id TEXT,                              -- as earlier operations, or the mirror, knew it
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX contact_waiting ON contact (decision, updated_at, n) WHERE decision != 'Skipped';
CREATE INDEX contact_hubspot ON contact (hubspot_id) WHERE hubspot_id IS NOT NULL;
CREATE INDEX op_remote ON op (remote_id) WHERE remote_id IS NOT NULL;
