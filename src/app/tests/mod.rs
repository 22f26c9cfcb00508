//! Update tables, journeys and laws of the dashboard.

mod deal;
mod events;
mod laws;
mod notes;
mod outbox;
mod registry;
mod view;
mod walking;
mod world;
mod writes;
