"""The places that files come from and go to: one contract, whole files or none."""
