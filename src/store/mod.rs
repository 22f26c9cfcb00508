//! What must survive: the outbox (precious), the mirror (disposable) and the budget slots.
