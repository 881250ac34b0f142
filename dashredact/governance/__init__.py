"""The rules for footage: what a policy allows, what goes when, what leaves and to whom, what the public is told."""
