-- What a view asks for has to stay small however many contacts wait to be pushed. The queries repeat the conditions word for
-- word: else a partial index is not used.
CREATE INDEX op_of_deals ON op (n) WHERE object IN ('deals', 'notes')
  AND state NOT IN ('done', 'dead', 'cancelled', 'superseded');
CREATE INDEX op_undo ON op (undo_of) WHERE undo_of IS NOT NULL;
-- No question was ever asked of it.
DROP INDEX contact_op;
