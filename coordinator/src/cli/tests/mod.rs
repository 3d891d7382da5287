mod apply;
mod backup;
mod fake;
mod help;
mod leaving;
mod lists;
mod living;
mod reading;
