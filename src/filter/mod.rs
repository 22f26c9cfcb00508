//! The filter language and fuzzy ranking. Pure.
