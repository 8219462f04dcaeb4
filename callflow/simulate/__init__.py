"""Simulations of what a policy does to callers, on published figures. Pure: a seed gives one result."""
