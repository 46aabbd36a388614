"""Benchmarks: each case runs ours and a peer in turn, verifies both results, and takes the median of the pairs' ratios."""
