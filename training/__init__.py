"""Trains the sample run of Rollout Lens: a toy policy, HDPO and its baselines, and their logs."""
