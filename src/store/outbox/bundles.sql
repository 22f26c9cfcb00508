-- Actions that were one for the person are taken back as one, and what was taken back can be done again.
ALTER TABLE undo ADD COLUMN bundle TEXT;    -- the first operation of the actions that were one
ALTER TABLE undo ADD COLUMN redone_at INTEGER;
ALTER TABLE undo ADD COLUMN redone_by TEXT; -- the operation that does it again; none where that was refused
ALTER TABLE undo ADD COLUMN redo_of TEXT;   -- the operation that this one does again
