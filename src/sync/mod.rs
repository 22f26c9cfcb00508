//! The engine: pull, push, schedule, and one `Handle` for every face.
