"""An installation of several containers: what its first start makes, and how its keys are renewed."""
