//! File, environment and flags to settings.
