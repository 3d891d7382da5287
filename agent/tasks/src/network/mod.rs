//! The node's network. A change that nobody confirms undoes itself, and a card that carries a way in is never touched.

pub mod keep_backplane;
