//! dealdeck: a terminal dashboard for HubSpot sales pipelines.

pub mod portal;
