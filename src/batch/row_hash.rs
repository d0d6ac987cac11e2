//! 128-bit keyed hash of a row, column by column.
