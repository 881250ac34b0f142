"""Where a run works: inbox, output folder, work folders, and what is remembered between runs."""
