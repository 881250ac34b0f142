"""Where a run works: inbox, output folder, work folders, and what is cached between runs."""
