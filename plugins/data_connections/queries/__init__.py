"""What people look at: lists and details of the ledger, filtered, sorted and paged, a fixed number of queries each."""
