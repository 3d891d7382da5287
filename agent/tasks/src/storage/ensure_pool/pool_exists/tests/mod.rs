mod bench;
mod create;
mod import;
mod imported;
