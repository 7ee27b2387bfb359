"""What stands where in the source of a module, read without importing it."""
