//! The dashboard as data and one function. Pure.
