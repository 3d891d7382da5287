mod apply;
mod backup;
mod fake;
mod help;
mod reading;
