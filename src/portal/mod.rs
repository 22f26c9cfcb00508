//! The simulated HubSpot portal: an independent witness. Imports nothing of ours.
