"""Figures as ratios to a floor that is measured in the same run, so that a busy machine does not blur them."""
