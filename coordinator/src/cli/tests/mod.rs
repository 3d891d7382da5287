mod apply;
mod fake;
mod help;
mod reading;
