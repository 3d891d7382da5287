//! The node's network. A change that is not confirmed is undone, and a card over which the node is reached is never
//! changed.

pub mod keep_backplane;
