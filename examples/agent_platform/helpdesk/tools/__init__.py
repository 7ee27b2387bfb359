"""What agents call. A tool is a function from text to text."""
