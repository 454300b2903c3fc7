"""Running the hub on one machine: embedded servers, supervision and the state folder. No Django in here (docs/running.md)."""
