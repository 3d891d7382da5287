mod apply;
mod backup;
mod fake;
mod help;
mod living;
mod reading;
