-- Actions that were one for the person are taken back as one, and what was taken back can be done again. What counts is the
-- order of the deeds, never a clock.
ALTER TABLE undo ADD COLUMN bundle TEXT;                         -- the first operation of the actions that were one
ALTER TABLE undo ADD COLUMN undone_n INTEGER;                    -- grows with every undo
ALTER TABLE undo ADD COLUMN undone_after INTEGER;                -- the newest action at that time
ALTER TABLE undo ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;  -- it could not be undone and is not in the way any more
ALTER TABLE undo ADD COLUMN redone_by TEXT;                      -- the operation that does it again
ALTER TABLE undo ADD COLUMN redo_refused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE undo ADD COLUMN redo_of TEXT;                        -- the operation that this one does again
CREATE INDEX undo_undone ON undo (undone_n) WHERE undone_n IS NOT NULL;
