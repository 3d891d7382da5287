//! Everything that an agent can do, and the engine that does it.
