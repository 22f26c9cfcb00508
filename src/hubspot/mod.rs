//! HubSpot's HTTP API and nothing else.
