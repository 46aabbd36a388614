"""Benchmarks: each case runs ours and a peer in turn, verifies both, and takes the median of the pairs' ratios."""
