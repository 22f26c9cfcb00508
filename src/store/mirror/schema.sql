-- Times are milliseconds since 1970, UTC: HubSpot's own precision. `object` is HubSpot's type number (deals 0-3 → 3).
-- Ids are integers where they look like one, else text, so that they are small and sort as people expect.

-- A file of the layout before this one is emptied and read again: HubSpot still has everything.
DROP TABLE IF EXISTS record; DROP TABLE IF EXISTS contact; DROP TABLE IF EXISTS deal; DROP TABLE IF EXISTS backlink;
DROP TABLE IF EXISTS gone; DROP TABLE IF EXISTS tally; DROP TABLE IF EXISTS relist; DROP TABLE IF EXISTS relist_seen;
DROP TABLE IF EXISTS document; DROP TABLE IF EXISTS cursor; DROP TABLE IF EXISTS notes_read; DROP TABLE IF EXISTS feed;
DROP TABLE IF EXISTS segment_day;

CREATE TABLE record (
  key INTEGER PRIMARY KEY,
  object INTEGER NOT NULL,
  id ANY NOT NULL,
  created INTEGER NOT NULL,
  version INTEGER NOT NULL,                     -- updatedAt: never decreases
  direct INTEGER,                               -- the newest version that came from a direct read or a write's answer
  archived INTEGER NOT NULL,
  properties TEXT NOT NULL,                     -- {"n": "value" or null}, n of the table `property`
  links TEXT NOT NULL,                          -- {"contacts": ["1", "2"]}, only types that were asked for
  UNIQUE (object, id)
) STRICT;

-- What the numbers of property maps stand for.
CREATE TABLE property (n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE INDEX record_archived ON record (object, id) WHERE archived = 1;

-- What contacts are listed, filtered and counted by; wide rows would make scans slow. Same key as in `record`; archived
-- contacts are not here. Empty text is NULL.
CREATE TABLE contact (
  key INTEGER PRIMARY KEY,
  name TEXT NOT NULL, named INTEGER NOT NULL,   -- what people see; 0 = it is not a name but the e-mail or the id
  email TEXT, company TEXT, phone TEXT, title TEXT,
  lifecycle TEXT, status TEXT, owner TEXT,
  created INTEGER NOT NULL, updated INTEGER NOT NULL, activity INTEGER
) STRICT;

-- Deals as the board reads them, all at once, without parsing a property map each. Archived deals are not here.
CREATE TABLE deal (
  key INTEGER PRIMARY KEY,
  id ANY NOT NULL,
  name TEXT NOT NULL, pipeline TEXT NOT NULL, stage TEXT NOT NULL,
  amount TEXT, currency TEXT, amount_home TEXT, probability TEXT, close INTEGER, owner TEXT, next_step TEXT,
  category TEXT, is_closed INTEGER, is_won INTEGER,
  created INTEGER NOT NULL, updated INTEGER NOT NULL,
  stage_entered INTEGER, last_activity INTEGER, next_activity INTEGER,
  contacts TEXT NOT NULL, companies TEXT NOT NULL -- ids, one blank between
) STRICT;

-- Who links to a record: the reverse of `record.links`.
CREATE TABLE backlink (
  to_object INTEGER NOT NULL, to_id ANY NOT NULL, from_object INTEGER NOT NULL, from_id ANY NOT NULL,
  PRIMARY KEY (to_object, to_id, from_object, from_id)
) STRICT, WITHOUT ROWID;

-- Records that were removed, with their last version: a lagging search must not bring them back.
CREATE TABLE gone (object INTEGER NOT NULL, id ANY NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (object, id))
  STRICT, WITHOUT ROWID;

-- How many live records of each type there are, so that nobody counts a million rows.
CREATE TABLE tally (object INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;
CREATE TRIGGER record_comes AFTER INSERT ON record WHEN NEW.archived = 0 BEGIN
  INSERT INTO tally (object, n) VALUES (NEW.object, 1) ON CONFLICT (object) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER record_goes AFTER DELETE ON record WHEN OLD.archived = 0 BEGIN
  UPDATE tally SET n = n - 1 WHERE object = OLD.object;
END;
CREATE TRIGGER record_turns AFTER UPDATE OF archived ON record WHEN NEW.archived IS NOT OLD.archived BEGIN
  INSERT INTO tally (object, n) VALUES (NEW.object, 0) ON CONFLICT (object) DO NOTHING;
  UPDATE tally SET n = n + OLD.archived - NEW.archived WHERE object = NEW.object;
END;

-- A list that is being read from its beginning, and what was met since.
CREATE TABLE relist (object INTEGER PRIMARY KEY, is_first INTEGER NOT NULL) STRICT;
CREATE TABLE relist_seen (object INTEGER NOT NULL, id ANY NOT NULL, PRIMARY KEY (object, id)) STRICT, WITHOUT ROWID;

-- Account, pipelines, owners, definitions: small documents that are read and replaced whole.
CREATE TABLE document (name TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE cursor (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE notes_read (deal ANY PRIMARY KEY, as_of INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE feed (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, json TEXT NOT NULL UNIQUE) STRICT;
CREATE INDEX feed_at ON feed (at);
CREATE TABLE segment_day (name TEXT NOT NULL, day TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (name, day))
  STRICT, WITHOUT ROWID;

-- HubSpot's lists; `told` is what a list said of itself when its members were last right.
CREATE TABLE list (id ANY PRIMARY KEY, json TEXT NOT NULL, told TEXT) STRICT;
CREATE TABLE member (list ANY NOT NULL, record ANY NOT NULL, joined INTEGER, PRIMARY KEY (list, record))
  STRICT, WITHOUT ROWID;
CREATE INDEX member_of ON member (record);
CREATE TABLE member_change (
  n INTEGER PRIMARY KEY, list ANY NOT NULL, record ANY NOT NULL, joins INTEGER NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE INDEX member_change_at ON member_change (at);

-- Words of names, e-mail addresses, companies and domains; `rowid` is the key of the record. Filled after the first load.
CREATE VIRTUAL TABLE find USING fts5 (kind, text, content = '', contentless_delete = 1, prefix = '2 3');

-- What watched properties were; whose past is to be read (again).
CREATE TABLE history (
  object INTEGER NOT NULL, id ANY NOT NULL, property INTEGER NOT NULL, at INTEGER NOT NULL,
  value TEXT, source TEXT NOT NULL, user TEXT, PRIMARY KEY (object, id, property, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX history_at ON history (object, at);
CREATE TABLE history_due (object INTEGER NOT NULL, key INTEGER NOT NULL, PRIMARY KEY (object, key)) STRICT, WITHOUT ROWID;

-- How many contacts were in each segment, by the definition that was counted: a changed one has to be counted again.
CREATE TABLE segment_count (
  name TEXT PRIMARY KEY, definition TEXT NOT NULL, count INTEGER NOT NULL, at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
