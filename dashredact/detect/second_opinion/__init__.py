"""The second opinion: every candidate is looked at again, as a crop of the source's own pixels."""
