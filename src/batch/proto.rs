//! Protobuf primitives: tags, varints, fields.
