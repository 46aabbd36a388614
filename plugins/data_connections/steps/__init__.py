"""The steps of a transfer, each one function that a task calls."""
