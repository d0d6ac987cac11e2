//! The parsed configuration in, a running graph out.
//!
//! | file | purpose |
//! |---|---|
//! | `components` | the one table of every component |
//! | `settings` | the user's file, checked and settled |

pub mod components;
mod elsewhere;
pub mod settings;
