//! Reads and writes an attribute value as it stands on the wire.
