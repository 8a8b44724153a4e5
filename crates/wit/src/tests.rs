mod checks;
mod diffs;
mod hostile;
mod prints;
